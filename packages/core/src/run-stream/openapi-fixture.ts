import { readFileSync } from "node:fs";

/** As much of JSON Schema as the document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: "array" | "boolean" | "integer" | "object" | "string";
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: false;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly description?: string;
}

const KNOWN: readonly string[] = [
  "$ref",
  "type",
  "required",
  "properties",
  "additionalProperties",
  "items",
  "enum",
  "minimum",
  "maximum",
  "default",
  "pattern",
  "examples",
  "description",
] satisfies (keyof JsonSchema)[];

interface Described {
  readonly headers?: Readonly<Record<string, { readonly required: boolean; readonly schema: JsonSchema }>>;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "header" | "path" | "query";
  readonly schema: JsonSchema;
}

interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<
    Record<
      string,
      { readonly get: { readonly parameters: Parameter[]; readonly responses: Record<string, Described> } }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

export const document = JSON.parse(
  readFileSync(new URL("../../../../docs/openapi.json", import.meta.url), "utf8"),
) as OpenApi;

const { schemas } = document.components;

/** What is wrong with a value by a schema of the document; "" when nothing is. @throws for a keyword that this knows nothing of. */
export function mismatch(value: unknown, schema: JsonSchema, at = "$"): string {
  for (const keyword of Object.keys(schema)) if (!KNOWN.includes(keyword)) throw new Error(`${at}: ${keyword}?`);
  if (schema.$ref !== undefined) return mismatch(value, named(schema.$ref), at);
  if (schema.type !== undefined && !isOf(schema.type, value)) return `${at} is no ${schema.type}`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${at} is none of ${schema.enum}`;
  if (typeof value === "number" && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)))
    return `${at} is out of range`;
  if (typeof value === "string" && !new RegExp(schema.pattern ?? "").test(value)) return `${at} does not match`;
  if (Array.isArray(value))
    return first(value.map((item, index) => mismatch(item, schema.items ?? {}, `${at}[${index}]`)));
  if (schema.properties === undefined) return "";
  const { properties, required = [] } = schema;
  const object = value as Readonly<Record<string, unknown>>;
  const missing = required.find((name) => !(name in object));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  return first(
    Object.entries(object).map(([name, of]) => {
      const property = properties[name];
      if (property !== undefined) return mismatch(of, property, `${at}.${name}`);
      return schema.additionalProperties === false ? `${at}.${name} is not described` : "";
    }),
  );
}

export function named(ref: string): JsonSchema {
  const schema = schemas[ref.replace("#/components/schemas/", "")];
  if (schema === undefined) throw new Error(`there is no ${ref}`);
  return schema;
}

function first(mismatches: readonly string[]): string {
  return mismatches.find((found) => found !== "") ?? "";
}

function isOf(type: NonNullable<JsonSchema["type"]>, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
