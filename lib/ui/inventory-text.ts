import type { Cost, InventorySummary, ListedThing, OtherCore } from "./events/index.ts";
import type { Line } from "./terminal.ts";

/** So many names stand in one command; of more there is a number. */
const MAX_NAMES = 10;

/** What a person reads of what the account has. */
export const inventoryTexts = {
  thing: ({
    kind,
    name,
    status = "",
    connected = "",
    certificates,
    declared,
    brief,
  }: ListedThing): { answer?: Line[] } => {
    if (brief === true) {
      return {};
    }
    const words = [
      kind.padEnd(5),
      name.padEnd(24),
      status,
      connected,
      certificates === undefined ? "" : `certificate ${certificates.join(", ") || "none"}`,
      declared ? "" : "NOT IN settings.ini",
    ];
    return { answer: [[words.filter((word) => word !== "").join("  ")]] };
  },
  "other-core": ({ name, status }: OtherCore): { answer: Line[] } => ({
    answer: [[`other  ${name}  ${status}  a core that this instance did not make`]],
  }),
  cost: ({ resource, when }: Cost): { lines: Line[] } => ({ lines: [[`  ${resource.padEnd(12)}  ${when}`]] }),
  "inventory-summary": ({ instance, things, cores, undeclared }: InventorySummary): { lines: Line[] } => {
    const names = undeclared.slice(0, MAX_NAMES).join(" ");
    const more = undeclared.length > MAX_NAMES ? `, and ${undeclared.length - MAX_NAMES} more` : "";
    const states = Object.entries(cores).map(([state, count]) => `${count} ${state}`);
    return {
      lines: [
        ...(undeclared.length === 0
          ? []
          : [
              [
                `${names.replaceAll(" ", ", ")}${more}: no longer in settings.ini; remove with: npx dospesos destroy ${names}`,
              ],
            ]),
        ...(states.length === 0 ? [] : [[`core devices: ${states.join(", ")}`]]),
        [`${things} things of ${instance}. In a real account these may cost money:`],
      ],
    };
  },
};
