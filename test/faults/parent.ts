export const SETTINGS = "INTERMODAL_FAULTS";

/** What this process was told when it was started. It ends with the one that started it, however that one ends. */
export function settings<Settings>(): Settings {
  const text = process.env[SETTINGS];
  if (text === undefined) throw new Error(`${SETTINGS} is not set: tests start this process`);
  process.on("disconnect", () => process.exit(1));
  return JSON.parse(text) as Settings;
}

/** Resolves when the message has left this process, so that kill -9 loses none. */
export function tell(message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
