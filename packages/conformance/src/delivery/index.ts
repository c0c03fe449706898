import type { ConformanceCase } from "../case.ts";
import { abortSignal } from "./abort-signal.ts";
import { ackAfterHandler } from "./ack-after-handler.ts";
import { anyBytes } from "./any-bytes.ts";
import { attempts } from "./attempts.ts";
import { bootedFirst } from "./booted-first.ts";
import { closeDrains, closeHandsBack } from "./close-drains.ts";
import { comeBackLater } from "./come-back-later.ts";
import { concurrency } from "./concurrency.ts";
import { cutBeforeAck } from "./cut-before-ack.ts";
import { cutBeforeConfirm } from "./cut-before-confirm.ts";
import { deadLetterDiscard } from "./dead-letter-discard.ts";
import { deadLetterOnce } from "./dead-letter-once.ts";
import { deadLetterPages } from "./dead-letter-pages.ts";
import { deadLetterReplay } from "./dead-letter-replay.ts";
import { deadWorker } from "./dead-worker.ts";
import { failingStallsNobody } from "./failing-stalls-nobody.ts";
import { leave, lostSettlesNothing } from "./leave.ts";
import { longHandler } from "./long-handler.ts";
import { longOutage } from "./long-outage.ts";
import { manyDelayedRetries } from "./many-delayed-retries.ts";
import { oneWorkerEach } from "./one-worker-each.ts";
import { payloadLimit } from "./payload-limit.ts";
import type { Bus } from "./place.ts";
import { resend } from "./resend.ts";
import { restartUnderLoad } from "./restart-under-load.ts";
import { retryDelayed } from "./retry-delayed.ts";
import { sendWhileAway } from "./send-while-away.ts";
import { shortPassesLong } from "./short-passes-long.ts";
import { slowStallsNobody } from "./slow-stalls-nobody.ts";
import { survivesSender } from "./survives-sender.ts";

/** What both buses promise alike, for one of them. */
export function deliveryCases(bus: Bus): readonly ConformanceCase[] {
  const promises = [
    survivesSender,
    oneWorkerEach,
    ackAfterHandler,
    anyBytes,
    payloadLimit,
    resend,
    retryDelayed,
    attempts,
    shortPassesLong,
    manyDelayedRetries,
    failingStallsNobody,
    comeBackLater,
    slowStallsNobody,
    concurrency,
    longHandler,
    leave,
    deadLetterOnce,
    deadLetterPages,
    deadLetterReplay,
    deadLetterDiscard,
    closeDrains,
    closeHandsBack,
    deadWorker,
    abortSignal,
    lostSettlesNothing,
    cutBeforeAck,
    cutBeforeConfirm,
    sendWhileAway,
    bootedFirst,
    longOutage,
    restartUnderLoad,
  ];
  return promises.map((promise) => promise(bus));
}
