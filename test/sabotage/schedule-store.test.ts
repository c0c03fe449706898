import { scheduleStoreSabotages } from "./schedule-store.ts";
import { verifySabotages } from "./verify.ts";

verifySabotages(scheduleStoreSabotages);
