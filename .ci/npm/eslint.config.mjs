/* How the page's scripts and its style are held: ESLint's own recommended rules for both languages,
 * and a few of this project's.
 *
 * A file of src/page is a block of one classic script, so what they share is one name: `page`. */
import css from "@eslint/css";
import js from "@eslint/js";

const browser = ["AbortController", "Node", "ResizeObserver", "TextDecoder", "addEventListener", "clearInterval",
  "clearTimeout", "devicePixelRatio", "document", "fetch", "getComputedStyle", "getSelection", "location",
  "matchMedia", "navigator", "performance", "requestAnimationFrame", "setInterval", "setTimeout"];

/* What the service sends becomes text and nothing else. */
const markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "write", "writeln",
  "createContextualFragment", "parseFromString"];

export default [
  {
    files: ["**/*.js"],
    plugins: { js },
    rules: {
      ...js.configs.recommended.rules,
      "array-callback-return": "error",
      "consistent-return": "error",
      "curly": "error",
      "eqeqeq": "error",
      "max-len": ["error", { code: 120 }],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 60 }],
      "no-eval": "error",
      "no-implicit-globals": "error",
      "no-new-func": "error",
      "no-restricted-globals": ["error", "localStorage", "sessionStorage", "indexedDB", "eval"],
      "no-restricted-properties": ["error", ...markup.map((property) => ({ property }))],
      "no-shadow": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      "strict": ["off"],
    },
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: "script",
      globals: Object.fromEntries([...browser, "page"].map((name) => [name, "readonly"])),
    },
    linterOptions: { reportUnusedDisableDirectives: "error", noInlineConfig: true },
  },
  {
    /* The first of them makes the one name. */
    files: ["**/page-dom.js"],
    rules: { "no-redeclare": "off", "no-implicit-globals": "off", "no-unused-vars": ["error", { varsIgnorePattern: "^page$" }] },
    languageOptions: { globals: { page: "off" } },
  },
  {
    files: ["**/*.css"],
    plugins: { css },
    language: "css/css",
    rules: {
      ...css.configs.recommended.rules,
      "css/no-important": "off", /* once, for what is hidden */
      "css/no-invalid-properties": ["error", { allowUnknownVariables: true }], /* set by the scripts */
      "css/use-baseline": ["error", { available: "newly", allowProperties: ["accent-color"] }],
    },
  },
];
