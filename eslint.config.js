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
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "no-nested-ternary": "error",
      "no-shadow": "off",
      "@typescript-eslint/no-shadow": "error",
      "max-lines": ["error", { max: 300 }],
      "lines/max-len": ["error", { code: 120, ...text, ignoreStrings: true, ignoreTemplateLiterals: true }],
      "strings/max-len": ["error", { code: 140, ...text }],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  { files: ["rules/**"], rules: { "@typescript-eslint/no-shadow": "off" } },
);
