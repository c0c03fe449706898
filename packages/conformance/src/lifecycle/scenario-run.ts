import type { App } from "@intermodal/core";
import type { TaskRecord } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { probe } from "./contracts.ts";
import type { Scenario } from "./crash-scenarios.ts";
import { follow, Observer } from "./observer.ts";
import { type AppProcess, GRACE_MS, RECOVERY_MS, World } from "./world.ts";

/** Announcements that workers publish. */
export const BRIDGE = { notifications: ["completed", "failed"] } as const;

/** One run of a scenario, in a namespace of its own, by a worker to which something will happen. */
export class ScenarioRun {
  readonly world: World;
  readonly inNamespace: string;
  readonly observer: Observer;
  readonly client: AppProcess;
  readonly victim: AppProcess;
  readonly serve: (app: App) => void;
  readonly #t: CaseContext;
  readonly #scenario: Scenario;
  readonly #runs: string[] = [];
  #follower: ReturnType<typeof follow> | undefined;
  #clientIsDone = false;

  private constructor(
    t: CaseContext,
    scenario: Scenario,
    parts: Pick<ScenarioRun, "world" | "inNamespace" | "observer" | "client" | "victim" | "serve">,
    runs: string[],
  ) {
    this.#t = t;
    this.#scenario = scenario;
    this.#runs = runs;
    this.world = parts.world;
    this.inNamespace = parts.inNamespace;
    this.observer = parts.observer;
    this.client = parts.client;
    this.victim = parts.victim;
    this.serve = parts.serve;
  }

  /** Sets everything up, has `play` go on from there, and clears up. */
  static async with(
    t: CaseContext,
    scenario: Scenario,
    name: string,
    play: (run: ScenarioRun) => Promise<void>,
  ): Promise<void> {
    const world = new World(t);
    const inNamespace = `${t.namespace}-${name}`;
    const runs: string[] = [];
    const serve = (app: App) => {
      app.bridge(BRIDGE);
      scenario.serve(app, runs);
    };
    try {
      const observer = new Observer(t, await world.open(inNamespace));
      await observer.listen();
      const client = await world.process({ inNamespace, serve: (app) => app.bridge(BRIDGE) });
      const victim = await world.process({ inNamespace, serve });
      await play(new ScenarioRun(t, scenario, { world, inNamespace, observer, client, victim, serve }, runs));
    } finally {
      await world.close();
    }
  }

  /** Submits the root and starts the worker. */
  async begin(): Promise<void> {
    const { id } = await this.client.app.submit(this.#scenario.root ?? probe, { n: 1 }, { id: "root" });
    this.#follower = follow(this.client.app, id);
    // It may die before it has started.
    this.victim.app.start().catch(() => {});
  }

  /** Lets the client do its part. @returns whether it has. */
  async clientIsDone(): Promise<boolean> {
    const { meanwhile } = this.#scenario;
    this.#clientIsDone ||= (await meanwhile?.(this.client.app, "root", this.#runs)) ?? true;
    return this.#clientIsDone;
  }

  get followerEnded(): boolean {
    return this.#follower?.ended() ?? false;
  }

  /** Waits for the end and checks that it is the right one, and stays. */
  async assertEnd(): Promise<void> {
    const { observer } = this;
    const { status, result, children, further = 0, childStatus = status } = this.#scenario.expected;
    await this.#t.until("the client has done its part", () => this.clientIsDone(), { withinMs: RECOVERY_MS });
    await observer.untilAtRest();
    const root = await observer.record("root");
    equal({ status: root?.status, result: root?.result }, { status, result }, "how the task ended");
    equal(Object.keys(root?.children ?? {}).sort(), children, "its sub-tasks");
    const records = await observer.records();
    equal(records.length, 1 + children.length + further, "records");
    const below = records.filter(({ id }) => id !== "root").map((record) => record.status);
    equal([...new Set(below)], below.length === 0 ? [] : [childStatus], "how its sub-tasks ended");
    if (root !== undefined) await observer.assertEndedStream(root);
    const followed = () => this.followerEnded || this.#follower?.failure() !== undefined;
    await this.#t.until("the follower ends", followed, { withinMs: RECOVERY_MS });
    equal(this.#follower?.failure(), undefined, "the follower's error");
    const announced = ({ id, status }: TaskRecord) => `${id}.1.${status === "COMPLETED" ? "completed" : "failed"}`;
    observer.assertAnnounced(records.map(announced));
    const failures = status === "FAILED" || status === "DEAD_LETTER" ? 1 : 0;
    assert((await observer.deadTasks()).length <= failures, "there are more dead letters than failures");
    const ran = this.#runs.length;
    await observer.assertStays(4 * GRACE_MS);
    equal(this.#runs.length, ran, "runs, after the end");
  }
}
