import { eventStreamSabotages } from "./event-stream.ts";
import { taskStateStoreSabotages } from "./task-state-store.ts";
import { verifySabotages } from "./verify.ts";

verifySabotages([...taskStateStoreSabotages, ...eventStreamSabotages]);
