/**
 * An app in memory on a clock that the test turns, for the tests of applications; and the clocks, for tests of adapters.
 * @packageDocumentation
 */
export type { Broker } from "../memory/broker.ts";
export type { MemoryConnection } from "../memory/connection.ts";
export { MemoryAdapter, MemoryServer } from "../memory/index.ts";
export type { Store } from "../memory/store.ts";
export { createTestApp, type TestApp, type TestAppOptions } from "./test-app.ts";
export { ProcessClock, VirtualClock } from "./virtual-clock.ts";
export type { PortName } from "./watched-ports.ts";
