import type { App } from "@intermodal/core";
import { CrashPoints, type Moments } from "./crash-points.ts";
import { Observer } from "./observer.ts";
import { type Trouble, Troubled } from "./trouble.ts";
import { type AppProcess, RECOVERY_MS, World } from "./world.ts";

/** What the actors of one run have. */
export interface Stage {
  readonly world: World;
  readonly inNamespace: string;
  readonly observer: Observer;
  readonly victim: AppProcess;
  /** What the victim does; resolves when it has done it or is dead. */
  act(what: (app: App) => Promise<unknown>): Promise<void>;
}

/** Sets up a run in a namespace of its own, with a client that dies, or has trouble, at one moment of what it does. */
export async function stage(
  parent: World,
  at: number,
  play: (stage: Stage) => Promise<void>,
  trouble?: Trouble,
): Promise<Moments> {
  const { t } = parent;
  const world = new World(t);
  const inNamespace = `${t.namespace}-${at}`;
  try {
    const observer = new Observer(t, await world.open(inNamespace));
    await observer.listen();
    const victim = await world.process({ inNamespace, serve: bridged });
    const passed: string[] = [];
    const act: Stage["act"] = async (what) => {
      if (trouble === undefined) new CrashPoints(victim, at, passed);
      else new Troubled(t, victim, { at, trouble, passed });
      let done = false;
      const end = () => {
        done = true;
      };
      // Whoever dies never answers; who has trouble may be refused.
      void what(victim.app).then(end, end);
      await t.until("the client is done or dead", () => done || victim.isDead, { withinMs: RECOVERY_MS });
      // Notes to the store are written a little later.
      await t.sleep(100);
    };
    await play({ world, inNamespace, observer, victim, act });
    return { passed };
  } finally {
    await world.close();
  }
}

/** Whoever may end a task has to know what is owed then: clients that cancel too. */
export function bridged(app: App): void {
  app.bridge({ notifications: ["completed", "failed"] });
}
