import * as v from "valibot";
import { componentVersion, key, text } from "./key-rules.ts";
import { bucketFault } from "./values.ts";

const VERSION_WHY = "cores take exactly the versions that a deployment names";

/** The keys of [components]. */
export const components = {
  cli: key(
    componentVersion(""),
    "version of aws.greengrass.Cli; by default that of the nucleus",
    VERSION_WHY,
    "e.g. cli = 2.16.0",
  ),
  client_device_auth: key(
    componentVersion("2.5.2"),
    "version of aws.greengrass.clientdevices.Auth",
    VERSION_WHY,
    "e.g. client_device_auth = 2.5.2",
  ),
  mqtt_broker: key(
    componentVersion("2.3.7"),
    "version of aws.greengrass.clientdevices.mqtt.Moquette",
    VERSION_WHY,
    "e.g. mqtt_broker = 2.3.7",
  ),
  bucket: key(
    v.optional(text(bucketFault)),
    "S3 bucket that artifacts of your own components are uploaded to; cores may then read them there",
    "bucket names are the same for all of AWS",
    "e.g. bucket = acme-components",
  ),
  ip_detector: key(
    componentVersion("2.2.0"),
    "version of aws.greengrass.clientdevices.IPDetector",
    VERSION_WHY,
    "e.g. ip_detector = 2.2.0",
  ),
};
