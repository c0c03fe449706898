import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import type { Page, PageOptions } from "../ports/delivery.ts";
import type { ScheduleDraft, ScheduleRecord } from "../ports/schedule-store.ts";
import { change, scheduleStoreOf } from "./change.ts";
import { declareSchedule, type ScheduleOptions } from "./definition.ts";
import { register } from "./register.ts";
import { type ScheduleSnapshot, snapshotOf } from "./snapshot.ts";
import { paused, resumed, started, stopped } from "./steps.ts";

/**
 * All schedules of the namespace, whoever registered them. What is changed here takes effect in every process; a fire that was under way meanwhile still happens.
 * Everything may be repeated. @throws `PORT_MISSING`, `UNAVAILABLE`, `CLOSED`.
 */
export class Schedules {
  readonly #ready: () => Promise<Runtime>;
  readonly #onChange: () => void;

  /** @internal */
  constructor(ready: () => Promise<Runtime>, onChange: () => void) {
    this.#ready = ready;
    this.#onChange = onChange;
  }

  /**
   * Registers a schedule, or gives it another definition: its state, such as that it is paused, stays. Needs no `start()` here: any started app of the namespace
   * fires it, also after this process has ended. The latest registration of a name stands.
   * @throws `INVALID_NAME`, `CONFIG_INVALID`, `VALIDATION_FAILED`, `NOT_SERIALIZABLE`, `PAYLOAD_TOO_LARGE`.
   */
  async register<Contract extends AnyTaskContract>(
    contract: Contract,
    options: ScheduleOptions<Contract>,
  ): Promise<ScheduleHandle> {
    const declared = declareSchedule(contract, options);
    const runtime = await this.#ready();
    await register(scheduleStoreOf(runtime), [declared], runtime.surroundings.logger);
    this.#onChange();
    return new ScheduleHandle(this, declared.name);
  }

  /** Removes a schedule with its state; its tasks stay. One that an app declares (`app.schedule`) comes back with the next start of it. */
  async unregister(name: string): Promise<void> {
    await scheduleStoreOf(await this.#ready()).remove([name]);
  }

  /** Lets a stopped or paused schedule run, counted from now: what was due meanwhile is forgotten. @throws `NOT_FOUND`. */
  start(name: string): Promise<ScheduleSnapshot> {
    return this.#change(name, started);
  }

  /** Stops a schedule: it is due no more until it is started. @throws `NOT_FOUND`. */
  stop(name: string): Promise<ScheduleSnapshot> {
    return this.#change(name, stopped);
  }

  /** Holds a running schedule up: it keeps its due time. @throws `NOT_FOUND`. */
  pause(name: string): Promise<ScheduleSnapshot> {
    return this.#change(name, paused);
  }

  /** Lets a paused schedule go on; what was missed meanwhile is dealt with as `missed` of its definition says. @throws `NOT_FOUND`. */
  resume(name: string): Promise<ScheduleSnapshot> {
    return this.#change(name, resumed);
  }

  /** Definition and state together; `undefined` where there is no such schedule. */
  async get(name: string): Promise<ScheduleSnapshot | undefined> {
    const { schedules } = await scheduleStoreOf(await this.#ready()).get([name]);
    return schedules[0] && snapshotOf(schedules[0]);
  }

  /** In pages, in an order of the store's. @throws `CURSOR_INVALID`. */
  async list(options: PageOptions = {}): Promise<Page<ScheduleSnapshot>> {
    const page = await scheduleStoreOf(await this.#ready()).list(options);
    const items = page.items.map(snapshotOf);
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  async #change(
    name: string,
    step: (current: ScheduleRecord, now: number) => ScheduleDraft | undefined,
  ): Promise<ScheduleSnapshot> {
    const store = scheduleStoreOf(await this.#ready());
    const { now, schedules } = await store.get([name]);
    const current = schedules[0] && (await change(store, schedules[0], (standing) => step(standing, now)));
    if (current === undefined) throw new IntermodalError("NOT_FOUND", `there is no schedule "${name}"`);
    this.#onChange();
    return snapshotOf(current);
  }
}

/** One schedule, by its name: each method is that of {@link Schedules}. */
export class ScheduleHandle {
  readonly name: string;
  readonly #schedules: Schedules;

  /** @internal Applications get handles from `app.schedule` and `app.schedules.register`. */
  constructor(schedules: Schedules, name: string) {
    this.#schedules = schedules;
    this.name = name;
  }

  get(): Promise<ScheduleSnapshot | undefined> {
    return this.#schedules.get(this.name);
  }

  start(): Promise<ScheduleSnapshot> {
    return this.#schedules.start(this.name);
  }

  stop(): Promise<ScheduleSnapshot> {
    return this.#schedules.stop(this.name);
  }

  pause(): Promise<ScheduleSnapshot> {
    return this.#schedules.pause(this.name);
  }

  resume(): Promise<ScheduleSnapshot> {
    return this.#schedules.resume(this.name);
  }

  unregister(): Promise<void> {
    return this.#schedules.unregister(this.name);
  }
}
