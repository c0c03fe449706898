import type { StandardSchemaV1 } from "@standard-schema/spec";
import { IntermodalError } from "../errors.ts";

/** Any validator that follows Standard Schema: zod, Valibot, ArkType and others. */
export type Schema = StandardSchemaV1;
/** What a schema accepts, before its transforms. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;
/** What a schema gives, after its transforms. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** What is wrong with one part of a value. */
interface Issue {
  /** Such as `pages[1].text`; empty for the whole value. */
  readonly path: string;
  readonly message: string;
}

/** Further issues are counted only: a long list of wrong items would drown the first one. */
const MAX_ISSUES = 5;

/**
 * Validates and transforms a value. Synchronous where the validator is, so that nothing waits that need not; `await` takes both.
 * @param what names the value in the message, such as `input of task "book.import"`.
 * @throws `VALIDATION_FAILED` naming `what` and the path of each issue; its `cause` lists all of them as `{ path, message }`.
 */
export function parseWith<S extends Schema>(
  schema: S,
  value: unknown,
  what: string,
): SchemaOutput<S> | Promise<SchemaOutput<S>> {
  let result: ReturnType<S["~standard"]["validate"]>;
  try {
    result = schema["~standard"].validate(value) as typeof result;
  } catch (error) {
    throw validatorThrew(what, error);
  }
  if (result instanceof Promise) {
    return result.then(
      (settled) => outputOf<S>(settled, what),
      (error: unknown) => {
        throw validatorThrew(what, error);
      },
    );
  }
  return outputOf<S>(result as StandardSchemaV1.Result<unknown>, what);
}

function outputOf<S extends Schema>(result: StandardSchemaV1.Result<unknown>, what: string): SchemaOutput<S> {
  if (result.issues === undefined) return result.value as SchemaOutput<S>;
  // Copied: some validators put the whole input into their issues, and errors are logged.
  const issues = result.issues.map(({ path, message }) => ({ path: pathOf(path), message }));
  throw new IntermodalError("VALIDATION_FAILED", `${what} is invalid: ${describe(issues)}`, { cause: issues });
}

function validatorThrew(what: string, error: unknown): IntermodalError {
  const reason = error instanceof Error ? error.message : String(error);
  return new IntermodalError("VALIDATION_FAILED", `${what} could not be validated: its schema threw: ${reason}`, {
    cause: error,
  });
}

function describe(issues: readonly Issue[]): string {
  const told = issues.slice(0, MAX_ISSUES).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  if (issues.length > MAX_ISSUES) told.push(`and ${issues.length - MAX_ISSUES} more`);
  return told.join("; ");
}

function pathOf(path: StandardSchemaV1.Issue["path"]): string {
  let text = "";
  for (const segment of path ?? []) {
    const key = typeof segment === "object" ? segment.key : segment;
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}

/** @throws `CONFIG_INVALID` for what is no Standard Schema, which only untyped code can pass. */
export function checkSchema(what: string, schema: unknown): void {
  const candidate = schema as { readonly "~standard"?: { readonly validate?: unknown } } | null | undefined;
  if (typeof candidate?.["~standard"]?.validate === "function") return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `${what} is not a Standard Schema; pass a schema of zod, Valibot, ArkType or any other that follows it`,
  );
}
