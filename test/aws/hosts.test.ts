import { test } from "uvu";
import * as assert from "uvu/assert";
import { coreHosts, greengrassHost } from "../../lib/aws/hosts.ts";

const account = {
  data: "abc-ats.iot.us-east-1.amazonaws.com",
  credentials: "abc.credentials.iot.us-east-1.amazonaws.com",
};

test("a core connects to the account's own hosts", () => {
  assert.equal(coreHosts({ ...account, region: "us-east-1", fips: false }), {
    ...account,
    greengrass: "greengrass-ats.iot.us-east-1.amazonaws.com",
    greengrassSetting: "",
  });
});

test("with FIPS each host of a core is a FIPS endpoint (D7)", () => {
  assert.equal(coreHosts({ ...account, region: "us-gov-west-1", fips: true }), {
    data: "data.iot-fips.us-gov-west-1.amazonaws.com",
    credentials: "data.credentials.iot-fips.us-gov-west-1.amazonaws.com",
    greengrass: "data.iot-fips.us-gov-west-1.amazonaws.com",
    greengrassSetting: "iotData",
  });
});

test("client devices discover their cores in the domain of the partition (B18)", () => {
  assert.is(greengrassHost("eu-west-1"), "greengrass-ats.iot.eu-west-1.amazonaws.com");
  assert.is(greengrassHost("cn-north-1"), "greengrass-ats.iot.cn-north-1.amazonaws.com.cn");
});

test.run();
