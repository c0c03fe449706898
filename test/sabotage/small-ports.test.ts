import { inboxSabotages } from "./inbox.ts";
import { rateLimiterSabotages } from "./rate-limiter.ts";
import { verifySabotages } from "./verify.ts";

verifySabotages([...rateLimiterSabotages, ...inboxSabotages]);
