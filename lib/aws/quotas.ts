/**
 * How often a second AWS IoT takes a call, for each account and region (AWS General Reference, "AWS IoT Core endpoints
 * and quotas", API throttling limits; the values can be raised on request). Calls that are not listed are not slowed
 * down here: AWS's own answer does that.
 */
export const QUOTAS: Readonly<Record<string, number>> = {
  AddThingToThingGroup: 100,
  AttachPolicy: 15,
  AttachThingPrincipal: 100,
  CreateCertificateFromCsr: 15,
  CreatePolicy: 10,
  CreatePolicyVersion: 10,
  CreateThing: 100,
  CreateThingGroup: 25,
  DeleteCertificate: 10,
  DeletePolicy: 10,
  DeletePolicyVersion: 10,
  DeleteThing: 100,
  DescribeCertificate: 10,
  DescribeThing: 350,
  DetachPolicy: 15,
  DetachThingPrincipal: 100,
  GetPolicy: 10,
  ListAttachedPolicies: 15,
  ListCertificates: 10,
  ListPolicyVersions: 10,
  ListTagsForResource: 10,
  ListTargetsForPolicy: 10,
  ListThingGroupsForThing: 10,
  ListThingPrincipals: 10,
  ListThingsInThingGroup: 25,
  RemoveThingFromThingGroup: 100,
  UpdateCertificate: 10,
};
