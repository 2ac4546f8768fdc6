export const AUTH = "aws.greengrass.clientdevices.Auth";
export const BROKER = "aws.greengrass.clientdevices.mqtt.Moquette";

/**
 * Why two of AWS's own components cannot be deployed together, or undefined. Moquette 2.3.2 to 2.3.6 depends on
 * client device auth before 2.5.0, 2.3.7 takes every 2.5 (Greengrass V2 Developer Guide, "MQTT 3.1.1 broker
 * (Moquette)", dependencies); what is newer than that is not known here, and left to AWS.
 */
export function componentConflict(versions: {
  readonly broker: string;
  readonly auth: string;
}): string | undefined {
  return isBefore(versions.broker, "2.3.7") && !isBefore(versions.auth, "2.5.0")
    ? `${BROKER} ${versions.broker} depends on ${AUTH} before 2.5.0, and ${versions.auth} is deployed with it`
    : undefined;
}

/** Whether a version, of three numbers, is older than another one. */
export function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split(".").map(Number));
  const differs = [0, 1, 2].find((index) => a![index] !== b![index]);
  return differs !== undefined && a![differs]! < b![differs]!;
}
