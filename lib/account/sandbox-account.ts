/** The account id that the sandbox shows. Real ids never are all zeros. */
export const SANDBOX_ACCOUNT_ID = "000000000000";
