// Loaded into what with-toolchain.cjs starts: that process has a group of its own, so when the starter is killed outright
// (SIGKILL can't be passed on) nothing else would end it.
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 1_000);
  timer.unref();
}
