import { lifecycleSabotages } from "./lifecycle.ts";
import { verifySabotages } from "./verify.ts";

verifySabotages(lifecycleSabotages);
