import * as v from "valibot";
import { componentVersion, key, text, wholeNumber } from "./key-rules.ts";
import { bucketFault, numberFault } from "./values.ts";

const VERSION_WHY = "cores take exactly the versions that a deployment names";

/** The keys of [deployment]: how AWS IoT Jobs brings a deployment to the cores of a group. */
export const deployment = {
  per_minute: key(
    v.optional(
      v.pipe(
        text((value) => numberFault(value, 1, 1000)),
        v.transform(Number),
      ),
    ),
    "the most cores a minute that get a deployment; without it all at once",
    "a mistake would be everywhere at once",
    "e.g. per_minute = 50, from 1 to 1000",
  ),
  abort_percent: key(
    v.optional(
      v.pipe(
        text((value) => numberFault(value, 1, 100)),
        v.transform(Number),
      ),
    ),
    "AWS cancels a deployment once it has failed on so many of a hundred of the cores that have a result",
    "a mistake would go on to the other cores",
    "e.g. abort_percent = 10",
  ),
  abort_after: key(
    wholeNumber("10", 1, 10_000),
    "how many cores must have a result before abort_percent counts",
    "one core of one would be all of them",
    "e.g. abort_after = 10",
  ),
  timeout_minutes: key(
    v.optional(
      v.pipe(
        text((value) => numberFault(value, 1, 10_080)),
        v.transform(Number),
      ),
    ),
    "how long a core may work on a deployment before AWS counts it as failed",
    "a core that hangs would never have a result",
    "e.g. timeout_minutes = 30",
  ),
};

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
