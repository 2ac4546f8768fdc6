/** The exit code of a run that stopped: 1 a step failed; 2 settings, Dofile or usage; 3 locked; 4 needs a person. */
export type FailureExit = 1 | 2 | 3 | 4;

interface CodeEntry {
  /** The folder below lib/, or "rules", that reports it. */
  readonly room: string;
  /** One clause: what is wrong, whatever the instance. */
  readonly meaning: string;
  readonly exit: FailureExit;
}

const room =
  (name: string) =>
  (exit: FailureExit, meaning: string): CodeEntry => ({ room: name, meaning, exit });

const engine = room("engine");
const settings = room("settings");
const dofile = room("dofile");
const cli = room("cli");
const terraform = room("terraform");
const render = room("render");
const device = room("device");
const aws = room("aws");
const sandbox = room("sandbox");
const rules = room("rules");
const account = room("account");
const registry = room("registry");
const pki = room("pki");

/**
 * Every error code: one meaning each, for good. A code that is no longer used is not given to anything else.
 * docs/errors.md is made from this table.
 */
export const codes = {
  DP001: cli(1, "a defect in DosPesos itself"),
  DP002: cli(1, "the operating system refused a file or network operation"),
  DP003: cli(1, "the output could not be written"),
  DP004: cli(4, "Node is too old"),
  DP005: cli(4, "a package that DosPesos needs is not installed"),
  DP006: cli(4, "the compiled program cannot be written"),

  DP101: settings(2, "there is no settings file"),
  DP102: settings(2, "the settings file cannot be read"),
  DP103: settings(2, "the settings file is not a regular file"),
  DP104: settings(2, "a name has characters that are not allowed in names"),
  DP105: settings(2, "other users may write the settings file"),
  DP106: settings(2, "the settings file is too large"),
  DP107: settings(2, "there are too many sections"),
  DP108: settings(2, "a line is too long"),
  DP109: settings(2, "the file is not valid UTF-8"),
  DP110: settings(2, "the file contains a NUL byte"),
  DP111: settings(2, "a line ends with a carriage return alone"),
  DP112: settings(2, "a line is neither a section, a key nor a comment"),
  DP113: settings(2, "a line has a value but no key"),
  DP114: settings(2, "a key is above the first section"),
  DP115: settings(2, "a section header is not closed"),
  DP116: settings(2, "there is text behind a section header or a quoted value"),
  DP117: settings(2, "a section has no name"),
  DP118: settings(2, "a key or a section is set twice"),
  DP119: settings(2, "two names differ only in case"),
  DP120: settings(2, "a name has a special meaning in JavaScript"),
  DP121: settings(2, "a quoted value is not closed"),
  DP122: settings(2, "a line ends with a backslash"),
  DP123: settings(2, "a key is written as an array"),
  DP124: settings(2, "a value has invisible or control characters"),
  DP125: settings(2, "a value looks like a secret"),
  DP130: settings(2, "there is no such kind of section"),
  DP131: settings(2, "a section that takes no name has one"),
  DP132: settings(2, "there is no such key in this section"),
  DP133: settings(2, "a required section is missing"),
  DP134: settings(2, "a required key is missing"),
  DP135: settings(2, "the key does not accept this value"),
  DP136: settings(2, "two cores or things have the same name"),
  DP137: settings(2, "a thing names a core that does not exist"),
  DP138: settings(2, "the line scan and the ini parser read a value differently"),
  DP139: settings(2, "there are more problems than are listed"),
  DP140: settings(2, "the Dofile or a rule asks for a setting that does not exist"),
  DP141: settings(2, "a key asks for a secret, and settings hold none"),
  DP142: settings(2, "a comment stands behind a value"),
  DP143: settings(2, "an inventory that the settings name is not there or cannot be read"),
  DP144: settings(2, "the first line of an inventory is not a list of columns"),
  DP145: settings(2, "a line of an inventory does not have the columns of its first line"),
  DP146: settings(2, "a core or thing is in the inventory twice, or also in settings.ini"),

  DP201: engine(2, "there is no such target"),
  DP202: cli(2, "the command line is wrong"),
  DP203: cli(2, "there is no core and no thing of this name"),
  DP204: cli(2, "--yes alone does not destroy anything in a real account"),
  DP205: cli(2, "the settings name no other place for Terraform's state"),
  DP206: cli(2, "nothing of this name was applied from here"),
  DP207: cli(2, "--verify needs Terraform, which does not apply the modules here"),
  DP209: cli(2, "the command needs the sandbox, and the settings name a real account"),
  DP211: engine(1, "a file is in the way of a target's folder"),
  DP212: engine(1, "a link leads a target's folder out of the project"),
  DP213: engine(1, "a folder or a special file is used as a file"),
  DP220: dofile(2, "rule(), fact() or effect() is called outside of a Dofile"),
  DP221: engine(1, "a recipe reads a file in a way that is not recorded as a prerequisite"),
  DP222: engine(1, "a file that a recipe reads does not exist"),
  DP223: dofile(2, "something is read where the engine cannot record it"),
  DP224: engine(1, "a folder is in the way of a target"),
  DP225: engine(1, "a recipe returned neither text nor bytes for a target"),
  DP226: engine(1, "a fact is not a JSON value"),
  DP227: engine(1, "a prerequisite does not exist"),
  DP228: engine(1, "a recipe's file operation failed"),
  DP229: engine(1, "a recipe failed"),
  DP230: engine(2, "a group contains itself"),
  DP231: engine(2, "a name cannot be a target or a prerequisite"),
  DP232: engine(2, "two rules make the same target"),
  DP233: engine(2, "two names of targets differ only in case or spelling"),
  DP234: engine(2, "targets need each other in a circle"),
  DP235: engine(2, "a target lies below another target"),
  DP236: engine(1, "a file that no build made is in the way of a target"),
  DP238: engine(2, "a group has the name of a target"),
  DP239: engine(1, "a recipe never settles"),
  DP240: dofile(2, "the Dofile or a module that it imports does not compile"),
  DP241: dofile(2, "there is no Dofile"),
  DP242: dofile(2, "the Dofile's default export is not a project"),
  DP243: dofile(2, "the Dofile threw an error"),
  DP244: dofile(2, "a recipe asks for what mapIsolated() made"),
  DP245: engine(4, "a precious target is a link or a special file"),
  DP246: engine(2, "a link leads to a target under another name"),
  DP251: engine(2, "a file that a glob finds has a name that is not UTF-8"),
  DP260: cli(2, "a file is no saved plan"),
  DP261: cli(4, "a saved plan does not have what would change now"),
  DP250: cli(2, "the project's folder has a backslash in its path"),
  DP249: engine(2, "two groups have the same name"),
  DP248: dofile(2, "other users may write the Dofile, a rule or a template"),
  DP247: dofile(2, "a package has changed that this process has loaded already"),

  DP301: engine(4, "the engine's state was written by a newer version"),
  DP302: engine(3, "another run holds the lock"),
  DP304: engine(4, "the folder of the engine's state is a link"),
  DP303: cli(3, "a sandbox is running here already"),

  DP402: terraform(4, "Terraform is not installed or does not run"),
  DP403: terraform(4, "Terraform is too old"),
  DP405: terraform(1, "a Terraform command failed"),
  DP406: terraform(4, "somebody else holds the lock of a Terraform state"),
  DP407: terraform(4, "the state changed after the plan was made"),
  DP408: terraform(1, "the state does not confirm what was applied"),
  DP409: terraform(1, "resources are left after a destroy"),
  DP410: terraform(4, "Terraform could not write its state"),
  DP411: terraform(4, "the state of an applied module is missing"),
  DP412: terraform(4, "the state of an applied module is empty or damaged"),
  DP413: terraform(4, "the state belongs to another lineage"),
  DP414: terraform(4, "the state is local, but the settings name S3"),
  DP415: aws(4, "the state bucket exists and is not safe to use"),
  DP416: terraform(4, "S3 holds another state at this place"),
  DP417: terraform(1, "the state in S3 differs from the one that was moved"),
  DP418: account(4, "the variables of an applied module are gone"),
  DP420: terraform(4, "an identity is being rotated"),
  DP419: terraform(2, "a module of Terraform is outside of the folder that is copied"),
  DP421: terraform(4, "a module that Terraform keeps in S3 is to be made by the registry's API"),
  DP422: account(
    4,
    "what the registry's API made is to be made by Terraform, which would replace its certificate",
  ),

  DP501: render(2, "there is no such template"),
  DP502: render(2, "a template's file name does not name an output language"),
  DP503: render(2, "a template has a syntax error"),
  DP504: render(2, "a template uses a construct or a name that templates may not use"),
  DP505: render(2, "a template uses an unknown filter, or one of another language"),
  DP506: render(2, "a template includes one outside of the project, itself, or one of another language"),
  DP507: render(2, "a template inserts a value without its language's quoting filter"),
  DP508: render(2, "a template inserts a value where its quoting would not hold"),
  DP509: render(2, "a template uses a variable or member that does not exist"),
  DP510: render(2, "a value has the wrong type, or its language cannot write it"),
  DP511: render(2, "a template makes too much output or too many loop iterations"),
  DP512: render(2, "the rendered text is not valid in its language"),

  DP601: device(2, "the sha256 of a nucleus version is not known"),
  DP602: device(2, "the sha256 in the settings is not the pinned one"),
  DP603: rules(4, "a certificate was issued for another key"),
  DP604: pki(2, "a key file does not hold a usable key"),
  DP605: device(1, "the nucleus zip has the wrong sha256"),
  DP608: device(1, "the nucleus zip could not be downloaded"),
  DP609: rules(4, "a device has not made its key yet"),
  DP610: aws(1, "an AWS call failed"),
  DP611: aws(4, "an AWS call was refused or has no usable credentials"),
  DP612: aws(4, "a resource exists and belongs to something else"),
  DP613: aws(4, "the credentials belong to another account"),
  DP614: aws(4, "the clock of this machine is wrong"),
  DP617: registry(4, "a build would replace the certificate of a device"),
  DP620: device(1, "ssh failed"),
  DP621: device(4, "sudo on the device asks for a password"),
  DP622: device(1, "a bundle could not be installed on its device"),
  DP625: device(4, "setup.sh on a device needs the answer of a person"),
  DP623: cli(2, "a core cannot be reached: it is not in the settings, or has no host"),
  DP626: cli(2, "an identity cannot be rotated"),
  DP624: cli(4, "a bundle is not up to date"),
  DP631: sandbox(4, "the sandbox account cannot be read"),
  DP632: sandbox(4, "the sandbox account is damaged"),
  DP634: account(4, "a core of the sandbox is a device, and no sandbox runs"),
  DP633: cli(4, "the sandbox cannot listen where real devices look for it"),
  DP641: device(2, "a component recipe is not valid"),
  DP642: aws(4, "a component version exists with other content"),
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof codes;
