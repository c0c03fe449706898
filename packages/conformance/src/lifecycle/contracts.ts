import { defineEvent, defineTask, fixed, type RetryOptions } from "@intermodal/core";

/** A validator that believes what it is told, unless `check` says what is wrong. */
export function any<T>(check: (value: T) => string | undefined = () => undefined) {
  return {
    "~standard": {
      version: 1,
      vendor: "intermodal-conformance",
      validate: (value: unknown) => {
        const wrong = check(value as T);
        return wrong === undefined ? { value: value as T } : { issues: [{ message: wrong }] };
      },
      types: undefined as { readonly input: T; readonly output: T } | undefined,
    },
  } as const;
}

/** Many quick attempts: a crash costs one too. */
export const PATIENT: RetryOptions = { maxAttempts: 8, backoff: fixed(200) };

/** The task of most cases: takes a number, gives a number. */
export const probe = defineTask("probe", { input: any<{ n: number }>(), output: any<number>(), retry: PATIENT });

/** What `probe` submits or calls. */
export const step = defineTask("step", { input: any<{ n: number }>(), output: any<number>(), retry: PATIENT });

/** A task with one attempt. */
export const once = defineTask("once", {
  input: any<{ n: number }>(),
  output: any<number>(),
  retry: { maxAttempts: 1, backoff: fixed(0) },
});

export const happened = defineEvent("happened", { data: any<{ n: number }>() });

/** What `step` submits, to a queue of its own. */
export const leaf = defineTask("leaf", {
  queue: "leaves",
  input: any<{ n: number }>(),
  output: any<number>(),
  retry: PATIENT,
});
