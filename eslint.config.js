import js from "@eslint/js";
import stylistic from "@stylistic/eslint-plugin";
import globals from "globals";
import tseslint from "typescript-eslint";

const text = { ignoreComments: false, ignoreUrls: true, ignoreRegExpLiterals: true };

export default tseslint.config(
  {
    ignores: ["node_modules/", "dist/", ".dospesos/", "edge/out/", "edge/nucleus/", "terraform/state/"],
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { lines: stylistic, strings: stylistic },
    rules: {
      curly: ["error", "all"],
      eqeqeq: "error",
      // Typed arrays and arrays that an invariant fills are read at an index that is known to be there;
      // noUncheckedIndexedAccess still makes each such read visible as a "!".
      "@typescript-eslint/no-non-null-assertion": "off",
      // An async function turns a throw into a rejection, also where nothing is awaited.
      "@typescript-eslint/require-await": "off",
      // As properties, methods of interfaces can be passed on, and their parameters are checked strictly.
      // Control characters in expressions are what is escaped or taken out.
      "no-control-regex": "off",
      // A string is spread into code points, which is what is counted and compared here.
      "@typescript-eslint/no-misused-spread": "off",
      // Narrowing does not see what an await, a callback or another platform changes.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // Whoever reads JSON of a known shape names the shape: read<Settings>(path).
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/method-signature-style": ["error", "property"],
      // `catch {}` says by itself that the error does not matter; the comment beside it says why.
      "no-empty": ["error", { allowEmptyCatch: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "no-nested-ternary": "error",
      "object-shorthand": ["error", "properties"],
      "no-shadow": "off",
      "@typescript-eslint/no-shadow": "error",
      "max-lines": ["error", { max: 300 }],
      "lines/max-len": ["error", { code: 120, ...text, ignoreStrings: true, ignoreTemplateLiterals: true }],
      "strings/max-len": ["error", { code: 140, ...text }],
    },
  },
  {
    // nunjucks compiles to the text of a function; templates come through an allow-list (lib/render/syntax.ts).
    files: ["lib/render/nunjucks.ts"],
    rules: { "@typescript-eslint/no-implied-eval": "off" },
  },
  {
    files: ["test/**"],
    rules: {
      // Tests look into JSON and into errors of classes that cannot be made by hand.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/unbound-method": "off",
      // The text of a file that a test writes is not broken for our sake.
      "strings/max-len": ["error", { code: 140, ...text, ignoreTemplateLiterals: true, ignoreStrings: true }],
      // A test file is as long as its list of cases.
      "max-lines": ["error", { max: 460 }],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  { files: ["rules/**", "examples/**"], rules: { "@typescript-eslint/no-shadow": "off" } },
);
