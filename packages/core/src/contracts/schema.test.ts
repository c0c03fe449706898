import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { IntermodalError } from "../errors.ts";
import { checkSchema, parseWith, type Schema } from "./schema.ts";

function thrownBy(run: () => unknown): IntermodalError {
  try {
    run();
  } catch (error) {
    if (error instanceof IntermodalError) return error;
  }
  throw new Error("no IntermodalError was thrown");
}

/** A schema that gives, or throws, what it is told to. */
function schemaOf(validate: () => unknown): Schema {
  return { "~standard": { version: 1, vendor: "test", validate: validate as Schema["~standard"]["validate"] } };
}

describe("parseWith", () => {
  const wanted = { id: "a", at: new Date("2025-01-01T00:00:00Z") };
  const given = { id: "a", at: "2025-01-01T00:00:00Z" };

  test.each<[string, Schema]>([
    ["zod", z.object({ id: z.string(), at: z.string().transform((text) => new Date(text)) })],
    [
      "valibot",
      v.object({
        id: v.string(),
        at: v.pipe(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
      }),
    ],
    ["arktype", type({ id: "string", at: type("string").pipe((text) => new Date(text)) })],
  ])("%s: gives the output at once, and names the path and the value of what is wrong", (_name, schema) => {
    expect(parseWith(schema, given, "input")).toEqual(wanted);
    const error = thrownBy(() => parseWith(schema, { id: 5, at: given.at }, 'input of task "book.import"'));
    expect(error.code).toBe("VALIDATION_FAILED");
    expect(error.message).toMatch(/^input of task "book\.import" is invalid: .*\bid\b/);
    expect(error.cause).toEqual([{ path: "id", message: expect.any(String) }]);
  });

  test("paths go through objects and lists", () => {
    const schema = z.object({ pages: z.array(z.object({ text: z.string() })) });
    const error = thrownBy(() => parseWith(schema, { pages: [{ text: "a" }, {}] }, "input"));
    expect(error.message).toContain("pages[1].text: ");
  });

  test("an issue without a path, and path segments that are objects or symbols", () => {
    const issues = [{ message: "no" }, { message: "bad", path: [{ key: "a" }, 0, Symbol("s")] }];
    const error = thrownBy(() =>
      parseWith(
        schemaOf(() => ({ issues })),
        1,
        "input",
      ),
    );
    expect(error.message).toBe("input is invalid: no; a[0].Symbol(s): bad");
  });

  test("many issues are not all told", () => {
    const error = thrownBy(() => parseWith(z.array(z.string()), Array(500).fill(1), "input"));
    expect(error.message).toContain("; and 495 more");
    expect(error.message.length).toBeLessThan(1_000);
  });

  test("waits where the schema does", async () => {
    const schema = z.string().refine(async (text) => text !== "taken", { error: "is taken" });
    const free = parseWith(schema, "free", "name");
    expect(free).toBeInstanceOf(Promise);
    expect(await free).toBe("free");
    await expect(parseWith(schema, "taken", "name")).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: "name is invalid: is taken",
    });
  });

  test("a schema that throws, now or later, is an invalid value with the cause", async () => {
    const broken = new Error("broken");
    const error = thrownBy(() =>
      parseWith(
        schemaOf(() => {
          throw broken;
        }),
        1,
        "input",
      ),
    );
    expect(error).toMatchObject({ code: "VALIDATION_FAILED", cause: broken });
    const later = schemaOf(() => Promise.reject(broken));
    await expect(parseWith(later, 1, "input")).rejects.toMatchObject({ code: "VALIDATION_FAILED", cause: broken });
  });
});

test.each([undefined, null, 1, {}, { "~standard": {} }])("%j is no schema", (value) => {
  expect(thrownBy(() => checkSchema("the input", value)).code).toBe("CONFIG_INVALID");
});
