/** The account id that the sandbox shows. Real ids never are all zeros. */
export const SANDBOX_ACCOUNT_ID = "000000000000";

/**
 * Where the embedded account is kept. It stands for what exists in AWS, so it is with Terraform's state and no clean
 * removes it.
 */
export const SANDBOX_FILE = "terraform/state/sandbox/account.json";
