import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

/** A certificate that was asked for, for a thing of that name. */
export interface AskedCertificate {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Its id, once AWS has answered. */
  readonly id?: string;
}

/**
 * Between the request for a certificate and its attachment to a thing only this journal knows of it: a run that is
 * killed there goes on with the certificate that there is, instead of asking for another one.
 */
export interface CertificateJournal {
  /** Written before the request is sent. */
  asked: (name: string) => Promise<void>;
  /** Written when its answer is there. */
  made: (name: string, id: string) => Promise<void>;
  /** It is attached: from now on the account knows it. */
  attached: (name: string) => void;
  /** What was asked for and not seen attached. */
  open: (name: string) => AskedCertificate | undefined;
  /** Ids of all certificates that the journal knows, those that were attached meanwhile included. */
  known: () => ReadonlySet<string>;
  close: () => Promise<void>;
}

// One line each, appended: "asked <time> <name>", "made <id> <name>", "attached <name>". A torn last line counts for
// nothing: what it was about to say is found in the account.

/** Opens the journal of an account; nothing is written before something is asked for. */
export function openCertificateJournal(folder: string): CertificateJournal {
  const file = join(folder, "certificates.log");
  const entries = new Map<string, AskedCertificate>();
  const known = new Set<string>();
  read(file, entries, known);
  let lines: string[] = [];
  let writing: Promise<void> | undefined;

  // Those who come while a write is under way share the next one.
  const flush = async (): Promise<void> => {
    while (lines.length > 0) {
      const text = lines.join("");
      lines = [];
      mkdirSync(folder, { recursive: true });
      const handle = await open(file, "a", 0o600);
      try {
        await handle.appendFile(text);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    }
  };
  const append = (line: string): Promise<void> => {
    lines.push(`${line}\n`);
    writing ??= Promise.resolve()
      .then(flush)
      .finally(() => (writing = undefined));
    return writing;
  };

  return {
    asked: async (name) => {
      const at = Date.now();
      entries.set(name, { at });
      await append(`asked ${at} ${name}`);
    },
    made: async (name, id) => {
      entries.set(name, { at: entries.get(name)?.at ?? Date.now(), id });
      known.add(id);
      await append(`made ${id} ${name}`);
    },
    attached: (name) => {
      if (entries.delete(name)) {
        lines.push(`attached ${name}\n`);
      }
    },
    open: (name) => entries.get(name),
    known: () => known,
    close: async () => {
      await writing;
      await flush();
      if (entries.size === 0) {
        rmSync(file, { force: true });
      }
    },
  };
}

function read(file: string, entries: Map<string, AskedCertificate>, known: Set<string>): void {
  if (!existsSync(file)) {
    return;
  }
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
    const [kind, first = "", name = ""] = line.split(" ");
    if (kind === "asked") {
      entries.set(name, { at: Number(first) });
    } else if (kind === "made") {
      entries.set(name, { at: entries.get(name)?.at ?? 0, id: first });
      known.add(first);
    } else if (kind === "attached") {
      entries.delete(first);
    }
  }
}
