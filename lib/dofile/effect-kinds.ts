import type { EffectKind } from "../engine/index.ts";

/**
 * Every kind of effect that was declared in this process, by its name. A module declares its kinds when it is
 * loaded, so that an effect that no rule declares any more can still be undone.
 */
const kinds = new Map<string, EffectKind<unknown, object>>();

/** Declares a kind of effect. A module that is loaded anew replaces what it declared before. */
export function effectKind<T, C>(kind: EffectKind<T, C>): EffectKind<T, C> {
  kinds.set(kind.kind, kind as EffectKind<unknown, object>);
  return kind;
}

/** The kind of that name, if a module has declared it. */
export function knownKind(name: string): EffectKind<unknown, object> | undefined {
  return kinds.get(name);
}
