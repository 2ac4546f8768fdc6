import { posix, join } from "node:path";
import { readdirSync } from "node:fs";
import { isSameWorld, readMarker, type SettingsContent, type World } from "../engine/index.ts";
import { accountFolder } from "../layout.ts";
import { SANDBOX_ACCOUNT_ID } from "./sandbox-account.ts";

/** Where markers lie: beside Terraform's states, where no clean removes them. */
const markersFolder = (): string => `${accountFolder()}/effects`;

/**
 * The account, region and instance that effects are applied in: a project has one such world at a time. A project
 * without settings has a world without a name.
 */
export function worldOf(settings: SettingsContent | undefined): World {
  if (settings === undefined) {
    return {};
  }
  const text = (key: string): string => String(settings.value(key) ?? "");
  const account = text("aws.account");
  return {
    account: account === "sandbox" ? SANDBOX_ACCOUNT_ID : account,
    region: text("aws.region"),
    instance: text("instance.name"),
  };
}

/** Where the marker of another world is kept while this one uses its place. */
export function keptMarker(file: string, { account, region, instance }: World): string {
  const markers = markersFolder();
  const name = file.startsWith(`${markers}/`) ? file.slice(markers.length + 1) : file;
  return `${keptFolder({ account: account!, region: region! })}/${instance}/${name}`;
}

function keptFolder({ account, region }: { readonly account: string; readonly region: string }): string {
  return `${accountFolder()}/${account}/${region}/kept`;
}

/** The files of all markers below terraform/state, also of other worlds. */
export function storedMarkers(root: string): string[] {
  const here = below(root, markersFolder()).flatMap((kind) => below(root, kind));
  const kept = accountRegions(root).flatMap((folder) => filesBelow(root, `${folder}/kept`));
  return [...here, ...kept].filter((name) => name.endsWith(".json")).sort();
}

/** `terraform/state/<account>/<region>`, for each that has a folder. */
function accountRegions(root: string): string[] {
  return below(root, accountFolder())
    .filter((account) => /\/\d{12}$/.test(account))
    .flatMap((account) => below(root, account));
}

/** What a folder holds, relative to the root; nothing where there is no such folder. */
function below(root: string, folder: string): string[] {
  try {
    return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

function filesBelow(root: string, folder: string): string[] {
  return below(root, folder).flatMap((name) => [name, ...filesBelow(root, name)]);
}

/** The names of the applied effects of a kind, in any world. */
export function appliedNames(root: string, kind: string): string[] {
  return storedMarkers(root).flatMap((file) => {
    const marker = readMarker(root, file);
    return marker?.kind === kind ? [marker.name] : [];
  });
}

/** What another world of the project has. */
export interface Elsewhere {
  /** e.g. "account 111122223333, eu-west-1, instance dospesos". */
  readonly world: string;
  /** The names of its effects, e.g. "core core-1". */
  readonly effects: readonly string[];
  /** How to get there: settings to set. */
  readonly settings: string;
}

/**
 * What other accounts, regions and instance names of this project still have, by their markers and states. `hereOf` is
 * called only where there are any.
 */
export function elsewhere(root: string, hereOf: () => World): Elsewhere[] {
  const markers = storedMarkers(root);
  const states = accountRegions(root)
    .flatMap((folder) => below(root, folder))
    .flatMap((module) => below(root, module))
    .filter((name) => name.endsWith(".tfstate"));
  if (markers.length === 0 && states.length === 0) {
    return [];
  }
  const here = hereOf();
  const found = new Map<string, { readonly world: World; readonly effects: Set<string> }>();
  const add = (world: World, effect: string): void => {
    const key = JSON.stringify(world);
    const known = found.get(key) ?? { world, effects: new Set<string>() };
    known.effects.add(effect);
    found.set(key, known);
  };
  for (const file of markers) {
    const marker = readMarker(root, file);
    if (marker !== undefined && !isSameWorld(marker.world, here)) {
      add(marker.world, marker.effect);
    }
  }
  for (const file of states) {
    const [account = "", region = "", module = ""] = file.slice(accountFolder().length + 1).split("/");
    const isHere = account === here["account"] && region === here["region"];
    const known = [...found.values()].some(
      ({ world }) => world["account"] === account && world["region"] === region,
    );
    if (!isHere && !known) {
      add({ account, region }, `${module} ${posix.basename(file, ".tfstate")}`);
    }
  }
  return [...found.values()].map(({ world, effects }) => ({
    world: worldText(world),
    effects: [...effects].sort(),
    settings: settingsText(world, here),
  }));
}

function worldText({ account, region, instance }: World): string {
  const where = account === SANDBOX_ACCOUNT_ID ? "the sandbox" : `account ${account}`;
  return `${where}, ${region}${instance === undefined ? "" : `, instance ${instance}`}`;
}

function settingsText(world: World, here: World): string {
  const account = world["account"] === SANDBOX_ACCOUNT_ID ? "sandbox" : world["account"];
  const keys: readonly (readonly [string, string | undefined, boolean])[] = [
    ["[aws] account", account, world["account"] !== here["account"]],
    ["[aws] region", world["region"], world["region"] !== here["region"]],
    [
      "[instance] name",
      world["instance"],
      world["instance"] !== undefined && world["instance"] !== here["instance"],
    ],
  ];
  return keys
    .filter(([, , differs]) => differs)
    .map(([key, value]) => `${key} = ${value}`)
    .join(", ");
}
