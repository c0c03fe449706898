import { type ErrorCode, IntermodalError } from "../errors.ts";

/** The server refused a request for a run's stream, and will again: trying once more does not help. */
export class RunStreamError extends IntermodalError {
  override readonly name: string = "RunStreamError";
  /** The HTTP status. */
  readonly status: number;

  constructor(code: ErrorCode, status: number, message: string) {
    super(code, message);
    this.status = status;
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "VALIDATION_FAILED",
  401: "FORBIDDEN",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
};

/** What the handler's own answers say of themselves. */
const TOLD: readonly string[] = ["CURSOR_INVALID", "NOT_FOUND", "VALIDATION_FAILED"] satisfies ErrorCode[];

/** Reads the answer's problem document, if it is one. */
export async function errorOf(response: Response): Promise<RunStreamError> {
  const { code, detail } = await problemIn(response);
  const told = typeof code === "string" && TOLD.includes(code) ? (code as ErrorCode) : undefined;
  const reason = typeof detail === "string" ? `: ${detail}` : "";
  return new RunStreamError(
    told ?? CODES[response.status] ?? "NOT_SUPPORTED",
    response.status,
    `the server refused to stream the run (${response.status})${reason}`,
  );
}

async function problemIn(response: Response): Promise<{ readonly code?: unknown; readonly detail?: unknown }> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    // Some proxy's page: the status has to do.
    return {};
  }
}
