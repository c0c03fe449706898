import { commandBusSabotages } from "./command-bus.ts";
import { eventBusSabotages } from "./event-bus.ts";
import { verifySabotages } from "./verify.ts";

verifySabotages([...commandBusSabotages, ...eventBusSabotages]);
