import { chmodSync, chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, ran, type Ended } from "../support/bin.ts";
import { contentsOf, projectOf, put, temporaryFiles, textOf, withoutWriting } from "../support/folder.ts";
import { testInOwn, unshared } from "../support/namespaces.ts";
import { testWhere } from "../support/tools.ts";
import { testAsUser, user } from "../support/user.ts";

const DOFILE = `import { file, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "disk/big.txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text.repeat(1000) }),
  rule({ targets: { a: "disk/small.txt", b: "disk/other.txt" }, mode: 0o600, needs: { source: file("source.txt") }, recipe: ({ source }) => ({ a: source.text, b: source.text + "!" }) }),
]);
`;

/** Runs a script of the shell that may mount file systems; $0 $1 is the program. */
function withMounts(root: string, script: string): Ended {
  return ran(root, "unshare", [...unshared("mounts"), "sh", "-c", script, process.execPath, BIN]);
}

for (const full of ["disk", ".dospesos"]) {
  testInOwn(
    test,
    "mounts",
    `with ${full} on a full disk the old target stays, the problem names the file, and all is right when there is space again (trap 51)`,
    () => {
      const root = projectOf(DOFILE, { "source.txt": "one\n" });
      // A file system of 256 KiB that something else fills.
      const { stdout, stderr } = withMounts(
        root,
        `mkdir -p ${full} && mount -t tmpfs -o size=256k none ${full}
"$0" "$1" build; echo "first $?"; sha256sum disk/*
head -c 1M /dev/zero > ${full}/filling 2> /dev/null; printf 'other\\n' > source.txt
"$0" "$1" build -k; echo "full $?"; sha256sum disk/*; ls -A disk
"$0" "$1" status > status; echo "status $?"
rm ${full}/filling; "$0" "$1" build; echo "freed $?"; cat disk/small.txt; "$0" "$1" build; ls -A disk .dospesos`,
      );
      const shown = `${full}\n${stdout}\n${stderr}`;
      assert.match(stdout, "first 0", shown);
      assert.match(stdout, "full 1", shown);
      assert.match(stdout, "status 1", shown);
      assert.match(stderr, "ENOSPC", shown);
      assert.match(stderr, full === "disk" ? /disk\/big\.txt/ : /\.dospesos\/(journal|snapshot)/, shown);
      assert.not.match(stderr, "DP001", shown);
      assert.not.match(stderr, "damaged", shown);
      assert.not.match(stdout, "tmp", shown);
      const [before, during] = [stdout.split("full")[0]!, stdout.split("full")[1]!].map(
        (part) => /(\w{64}) {2}disk\/big.txt/.exec(part)?.[1],
      );
      assert.is(before, during, shown);
      assert.match(stdout, /freed 0\nother\n/, shown);
      assert.match(stderr, "nothing to do", shown);
      assert.equal(temporaryFiles(root), []);
    },
  );
}

testInOwn(
  test,
  "mounts",
  "outputs on another file system are replaced in one step: who has the old one open reads it to its end (trap 55)",
  () => {
    const root = projectOf(DOFILE, { "source.txt": "one\n" });
    const { stdout, stderr } = withMounts(
      root,
      `mkdir disk && mount -t tmpfs none disk && echo "another $(stat -c %d . disk | uniq | wc -l)"
"$0" "$1" build; echo "first $?"
exec 5< disk/small.txt; printf 'other\\n' > source.txt
"$0" "$1" build; echo "second $?"
echo "open: $(cat <&5)"; echo "new: $(cat disk/small.txt) $(stat -c %a disk/small.txt)"; ls -A disk
"$0" "$1" build; "$0" "$1" status; echo "status $?"`,
    );
    const shown = `${stdout}\n${stderr}`;
    assert.match(stdout, "another 2", shown);
    assert.match(
      stdout,
      /first 0[^]*second 0\nopen: one\nnew: other 600\nbig.txt\nother.txt\nsmall.txt\n/,
      shown,
    );
    assert.match(stderr, "nothing to do", shown);
    assert.match(stdout, "status 0", shown);
  },
);

/** Each way to a state folder that the user cannot write, undone after the body. */
const KEPT_OUT: Record<string, (folder: string, body: () => void) => void> = {
  "is read-only": (folder, body) => withoutWriting(folder, body),
  "belongs to root": (folder, body) => {
    const { uid, gid } = statSync(folder);
    chownSync(folder, 0, 0);
    body();
    chownSync(folder, uid, gid);
  },
  "holds a snapshot that only root can read": (folder, body) => {
    const { uid, gid } = statSync(join(folder, "snapshot"));
    chownSync(join(folder, "snapshot"), 0, 0);
    chmodSync(join(folder, "snapshot"), 0o600);
    body();
    chownSync(join(folder, "snapshot"), uid, gid);
  },
};

for (const [how, keptOut] of Object.entries(KEPT_OUT)) {
  const declare = (name: string, body: () => void): void =>
    how.includes("root") && process.getuid?.() !== 0
      ? testWhere(test, "only root gives files away", name, body)
      : testAsUser(test, name, body);
  declare(
    `where .dospesos ${how} a build stops before any target is touched and names the file, and is right when it is put right (trap 52)`,
    () => {
      const root = projectOf(DOFILE, { "source.txt": "one\n" });
      user.owns(root);
      assert.is(user.runs(root, "build").exit, 0);
      put(root, "source.txt", "two\n");
      const before = contentsOf(root);
      keptOut(join(root, ".dospesos"), () => {
        const { exit, stderr } = user.runs(root, "build");
        assert.is(exit, 1, stderr);
        assert.match(stderr, /\.dospesos.*EACCES/);
        assert.not.match(stderr, /DP001|damaged/);
        assert.equal(contentsOf(root), before);
        if (how.includes("read")) {
          return;
        }
        assert.is(user.runs(root, "status").exit, 1);
        assert.is(user.runs(root, "build", "-n").exit, 0);
        put(root, "source.txt", "one\n");
        assert.is(user.runs(root, "status").exit, 0);
        put(root, "source.txt", "two\n");
      });
      assert.is(user.runs(root, "build").exit, 0);
      assert.is(textOf(root, "disk/small.txt"), "two\n");
      assert.match(user.runs(root, "build").stderr, "nothing to do");
    },
  );
}

test.run();
