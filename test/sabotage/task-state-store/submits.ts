import { jsonEqual } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** Broken promises about submits and their withdrawal. */
export const SUBMITS: readonly Break[] = [
  [
    "believes that every record was sent",
    ["create-idempotent"],
    (store) => ({
      create: async (drafts) =>
        (await store.create(drafts)).map((outcome) =>
          outcome.kind === "existing" ? { ...outcome, resend: false } : outcome,
        ),
    }),
  ],
  [
    "takes another task of the same id for the same",
    ["create-conflict"],
    (store) => ({
      create: async (drafts) =>
        (await store.create(drafts)).map((outcome) =>
          outcome.kind === "conflict" ? { kind: "existing", record: outcome.record, resend: false } : outcome,
        ),
    }),
  ],
  [
    "compares the inputs of sub-tasks",
    ["create-sub-task"],
    (store) => ({
      create: async (drafts) =>
        (await store.create(drafts)).map((outcome, at) =>
          outcome.kind === "existing" && !jsonEqual(outcome.record.input, drafts[at]?.input)
            ? { kind: "conflict", record: outcome.record }
            : outcome,
        ),
    }),
  ],
  [
    "creates one id more than once",
    ["create-idempotent", "create-concurrent", "hostile-payloads"],
    (store) => ({
      create: async (drafts) =>
        (await store.create(drafts)).map((outcome) =>
          outcome.kind === "existing" ? { kind: "created", record: outcome.record } : outcome,
        ),
    }),
  ],
  [
    "lets a tombstone start",
    ["tombstone"],
    (store) => ({ create: (drafts) => store.create(drafts.map((draft) => ({ ...draft, tombstone: false }))) }),
  ],
  [
    "says that nothing can be withdrawn",
    ["withdraw"],
    (store) => ({
      withdraw: async (marks) => {
        await store.withdraw(marks);
        return marks.map(() => false);
      },
    }),
  ],
  [
    "says that everything was withdrawn",
    ["withdraw-refused", "withdraw-or-claim", "withdraw-two-submitters", "terminal"],
    (store) => ({
      withdraw: async (marks) => {
        await store.withdraw(marks);
        return marks.map(() => true);
      },
    }),
  ],
  [
    "withdraws whatever another submitter has sent",
    ["withdraw-two-submitters"],
    (store) => ({
      withdraw: (marks) =>
        Promise.all(
          marks.map(async (mark) => {
            const [record] = await store.get([mark.id]);
            const sends = Array.from({ length: record?.sends ?? 1 }, (_, at) => ({ ...mark, send: at + 1 }));
            return (await store.withdraw(sends)).includes(true);
          }),
        ),
    }),
  ],
  [
    "loses an acknowledged withdrawal",
    ["withdraw", "lost-create"],
    () => ({ withdraw: async (marks) => marks.map(() => true) }),
  ],
];
