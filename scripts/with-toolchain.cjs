"use strict";
// Runs a file of this repository on the Node version that package.json pins, and installs the toolchain first where it is
// missing or does not match package-lock.json:
//
//     node scripts/with-toolchain.cjs <file> [arguments for it …]
//
// It has to run on whatever Node the machine has (12 or newer) before anything is installed: CommonJS, old syntax, no
// dependencies. Everything else in the repository is TypeScript that the pinned Node runs as it is.

const { spawn, spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { pathToFileURL } = require("url");

const root = path.resolve(__dirname, "..");
const isWindows = process.platform === "win32";
const nodePackage = path.join(root, "node_modules", "node");
const pinnedNode = path.join(nodePackage, "bin", isWindows ? "node.exe" : "node");
/** One press of Ctrl-C can arrive twice: from the terminal, and from npm, which passes it on. */
const SAME_SIGNAL_MS = 500;

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function readJson(...names) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, ...names), "utf8"));
  } catch (_missing) {
    return undefined;
  }
}

// --- Is what is installed what the lock file says? -------------------------------------------------------------------

/** npm leaves a record of what it installed: compares it with package-lock.json. Returns what is wrong, if anything. */
function whyInstall() {
  const lock = readJson("package-lock.json");
  if (lock === undefined) fail("package-lock.json is missing or cannot be read.");
  const record = readJson("node_modules", ".package-lock.json");
  if (record === undefined) return "nothing is installed yet";
  const isInstalled = ([location, { version, integrity, optional, devOptional, peer }]) => {
    if (!location.includes("node_modules/") || optional || devOptional || peer) return true;
    const entry = record.packages[location];
    return entry !== undefined && entry.version === version && entry.integrity === integrity;
  };
  if (Object.entries(lock.packages).every(isInstalled)) return undefined;
  return "what is installed does not match package-lock.json";
}

// --- Installing ------------------------------------------------------------------------------------------------------

/** A Node outside of node_modules, since an installation removes the one that is inside. */
function machineNode() {
  const inside = path.join(root, "node_modules") + path.sep;
  if (!process.execPath.startsWith(inside)) return process.execPath;
  const found = (process.env.PATH || "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, isWindows ? "node.exe" : "node"))
    .find((file) => fs.existsSync(file) && !fs.realpathSync(file).startsWith(inside));
  return found || process.execPath;
}

/** Calls the npm that is running this script where there is one, else the one on the PATH. */
function npm(args, options) {
  const running = process.env.npm_execpath || "";
  if (/npm-cli\.c?js$/.test(running) && fs.existsSync(running)) {
    return spawnSync(machineNode(), [running, ...args], { cwd: root, ...options });
  }
  return spawnSync("npm", args, { cwd: root, shell: isWindows, ...options });
}

function install(reason) {
  const version = String(npm(["--version"], { encoding: "utf8" }).stdout || "").trim();
  if (version === "")
    fail("npm is needed to install the toolchain, and could not be run: https://nodejs.org has both.");
  if (parseInt(version, 10) < 7)
    fail(`npm 7 or newer is needed, this one is ${version}: npm install --global npm@latest`);
  say(`Installing the toolchain (npm ci), since ${reason}. It takes about a minute, once.`);
  const started = Date.now();
  // Explicit, since NODE_ENV=production or a user's npmrc would leave out the toolchain. Errors only, since an old npm or Node
  // warns about every package that wants the newer one which this very installation brings.
  const include = ["--include=dev", "--include=optional", "--include=peer"];
  const { status } = npm(["ci", ...include, "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) fail("npm ci failed (see above): the toolchain is not installed.");
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

// --- The pinned Node -------------------------------------------------------------------------------------------------

function versionOf(command) {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function runsTypeScript([major, minor]) {
  return major > 24 || (major === 24 && minor >= 11) || (major === 22 && minor >= 18);
}

function toolchainNode() {
  const wanted = `v${readJson("package.json").devDependencies.node}`;
  if (process.version === wanted) return process.execPath;
  if (versionOf(pinnedNode) === wanted) return pinnedNode;
  // The package `node` fetches the binary for this machine in its install script, which npm leaves out when it is told to
  // (ignore-scripts, a policy that does not know the package): do what the script would have done.
  say(`Finishing the installation of Node ${wanted}, since npm did not run its install script.`);
  const env = { ...process.env, npm_config_loglevel: "error" };
  const script = path.join(nodePackage, "installArchSpecificPackage.js");
  spawnSync(machineNode(), [script], { cwd: nodePackage, env, stdio: ["ignore", "ignore", 2] });
  if (versionOf(pinnedNode) === wanted) return pinnedNode;
  const machine = `${process.platform}-${process.arch}`;
  if (!runsTypeScript(process.versions.node.split(".").map(Number))) {
    fail(
      `Node ${wanted} could not be installed for ${machine}. Install Node 24 from https://nodejs.org, then try again.`,
    );
  }
  say(`Node ${wanted} does not run on ${machine}: using the machine's own ${process.version}.`);
  return process.execPath;
}

// --- Running ---------------------------------------------------------------------------------------------------------

function environment(node) {
  const env = { ...process.env };
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH") || "PATH";
  env[name] = [path.dirname(node), path.join(root, "node_modules", ".bin"), env[name]].join(path.delimiter);
  return env;
}

function run(node, file, args) {
  const endWithParent = pathToFileURL(path.join(__dirname, "end-with-parent.mjs"));
  const options = ["--conditions=@intermodal/source", `--import=${endWithParent}`];
  // In a process group of its own, so that a signal for the whole group does not reach it beside the one passed on below.
  const child = spawn(node, [...options, path.resolve(root, file), ...args], {
    env: environment(node),
    stdio: "inherit",
    detached: !isWindows,
  });
  // On Windows the console tells the child by itself.
  if (isWindows) process.on("SIGINT", () => {});
  else passOnSignals(child);
  child.on("error", (error) => fail(`${node} could not be run: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + os.constants.signals[signal]));
}

function passOnSignals(child) {
  const passedOnAt = new Map();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (passedOnAt.get(signal) || 0) < SAME_SIGNAL_MS) return;
      passedOnAt.set(signal, now);
      child.kill(signal);
    });
  }
  for (const signal of ["SIGWINCH", "SIGCONT"]) process.on(signal, () => child.kill(signal));
  process.on("SIGTSTP", () => {
    child.kill("SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  });
  if (process.env.npm_lifecycle_event !== undefined) endWithShell(child);
}

/** npm passes a signal on to the shell in between, which dies of it and passes on nothing. */
function endWithShell(child) {
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    child.kill("SIGTERM");
  }, 250);
  timer.unref();
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail("usage: node scripts/with-toolchain.cjs <file> [arguments …]");
const reason = whyInstall();
if (reason !== undefined) install(reason);
run(toolchainNode(), file, args);
