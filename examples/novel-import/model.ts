import { summarise } from "./extractive-summariser.ts";
import { describeScene, type Scene } from "./scene.ts";

export interface ModelCall {
  readonly signal?: AbortSignal | undefined;
}

/** What a language model would be asked for. Put a client of a real one behind this, and nothing else changes. */
export interface Model {
  /** @throws {ModelBusyError} when it takes no calls now; any other error may be worth another attempt. */
  summarise(text: string, options: ModelCall & { readonly sentences: number }): Promise<string>;
  /** @throws {ModelBusyError} when it takes no calls now; any other error may be worth another attempt. */
  describeScene(text: string, options?: ModelCall): Promise<Scene>;
}

/** The model takes no calls for a while. */
export class ModelBusyError extends Error {
  override readonly name = "ModelBusyError";
  /** Milliseconds after which to try again. */
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number, message: string) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Needs no network: it answers with the text's own words. */
export const extractiveModel: Model = {
  summarise: async (text, { sentences }) => summarise(text, { sentences }),
  describeScene: async (text) => describeScene(text),
};
