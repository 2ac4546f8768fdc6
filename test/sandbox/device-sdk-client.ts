// A client device written with the AWS IoT Device SDK, as AWS's sample basic_discovery is: discovery, the
// core's MQTT broker, one message. Arguments: the kit's folder, the thing's name. Prints the message that
// came back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { greengrass, io, iot, mqtt } from "aws-iot-device-sdk-v2";

const [folder = "", thing = ""] = process.argv.slice(2);
const [certificate, key, ca] = ["device.pem.crt", "private.pem.key", "SandboxCA.pem"].map((name) =>
  join(folder, name),
) as [string, string, string];
const options = new io.TlsContextOptions();
options.override_default_trust_store_from_path(undefined, ca);
options.certificate_filepath = certificate;
options.private_key_filepath = key;
if (io.is_alpn_available()) {
  options.alpn_list.push("x-amzn-http-ca");
}
const bootstrap = new io.ClientBootstrap();
const discovery = new greengrass.DiscoveryClient(
  bootstrap,
  new io.SocketOptions(io.SocketType.STREAM, io.SocketDomain.IPV4, 3000),
  new io.ClientTlsContext(options),
  "eu-west-1",
  "localhost",
);
const {
  gg_groups: [group],
} = await discovery.discover(thing);
const [address] = group?.cores[0]?.connectivity ?? [];
if (group === undefined || address === undefined) {
  throw new Error("no core was discovered");
}
const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(
  readFileSync(certificate, "utf8"),
  readFileSync(key, "utf8"),
)
  .with_certificate_authority(group.certificate_authorities[0] ?? "")
  .with_client_id(thing)
  .with_clean_session(true)
  .with_endpoint(address.host_address)
  .with_port(address.port)
  .build();
const connection = new mqtt.MqttClient(bootstrap).new_connection(config);
await connection.connect();
const topic = `clients/${thing}/hello`;
const back = new Promise<string>((resolve) => {
  void connection
    .subscribe(topic, mqtt.QoS.AtLeastOnce, (_, payload) => resolve(Buffer.from(payload).toString()))
    .then(() => connection.publish(topic, "hello from the SDK", mqtt.QoS.AtLeastOnce));
});
console.log(`received: ${await back}`);
await connection.disconnect();
process.exit(0);
