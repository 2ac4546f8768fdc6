import { settingsOf } from "../account/modules.ts";
import type { Session, SettingsContent } from "../engine/index.ts";
import type { Settings } from "../settings/index.ts";
import type { CommandContext } from "./command.ts";

/** An opened project with its settings. */
export interface OpenProject {
  readonly session: Session;
  readonly settings: Settings;
  /** The same by keys, with their locations. */
  readonly content: SettingsContent;
  readonly settingsFile: string;
  /** What code that works in the account gets. */
  readonly account: {
    readonly root: string;
    readonly settings: Settings;
    readonly signal: AbortSignal;
    note: (what: string) => void;
  };
}

/** Opens the project and reads its settings. Throws a ProblemError (exit 2) where they are wrong. */
export function openProject({ open, root, signal, emit }: CommandContext): OpenProject {
  const session = open();
  const { settings: content, settingsFile } = session.observer;
  const settings = settingsOf(content, settingsFile);
  const note = (what: string): void => emit({ type: "note", what });
  return { session, settings, content, settingsFile, account: { root, settings, signal, note } };
}
