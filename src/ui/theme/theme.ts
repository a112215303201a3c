import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e8f4f9",
  "#d3e7f0",
  "#a4cee0",
  "#79c6e3",
  "#5ab4d6",
  "#3595bb",
  "#0b6e99",
  "#0b6e99",
  "#085a7e",
  "#06435f",
];

/** Colours of every variant as CSS variables, so that light and dark differ in tokens.css only. */
const variantColorResolver: VariantColorsResolver = ({ variant, color }) => {
  const bad = color === "red";
  const tint = bad ? "var(--bad)" : color === "gray" ? "var(--ink2)" : "var(--accent)";
  switch (variant) {
    case "filled":
      return {
        background: tint,
        hover: bad ? "var(--bad)" : "var(--accent-strong)",
        color: bad ? "var(--bad-ink)" : "var(--accent-ink)",
        border: "1px solid transparent",
      };
    case "light":
      return { background: "var(--sel)", hover: "var(--sel)", color: tint, border: "none" };
    case "subtle":
    case "transparent":
      return {
        background: "transparent",
        hover: "var(--hover)",
        color: tint,
        border: "1px solid transparent",
      };
    default:
      return {
        background: "var(--panel)",
        hover: "var(--hover)",
        color: bad ? "var(--bad)" : "var(--ink)",
        border: "1px solid var(--line2)",
      };
  }
};

/** Mantine's theme in the studio's CSS variables. */
export const theme = createTheme({
  colors: { accent },
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 4 },
  variantColorResolver,
  fontFamily: "var(--text)",
  fontFamilyMonospace: "var(--mono)",
  headings: { fontFamily: "var(--text)", fontWeight: "600" },
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "18px" },
  defaultRadius: "7px",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "sm", variant: "default" } },
    // Descriptions are below inputs, so that labels stay next to them.
    InputWrapper: {
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
    },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false } },
    Modal: {
      defaultProps: {
        closeButtonProps: { "aria-label": "Close" },
        centered: true,
        radius: 10,
        overlayProps: { backgroundOpacity: 0.4, blur: 0 },
      },
    },
    Drawer: { defaultProps: { overlayProps: { backgroundOpacity: 0.4, blur: 0 } } },
    Menu: { defaultProps: { shadow: "md", radius: 8, withInitialFocusPlaceholder: false } },
    Popover: { defaultProps: { shadow: "md", radius: 10 } },
  },
});

const mapped = {
  "--mantine-color-body": "var(--panel)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--ink2)",
  "--mantine-color-placeholder": "var(--ink3)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-default": "var(--panel)",
  "--mantine-color-default-hover": "var(--hover)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--line2)",
  "--mantine-color-error": "var(--bad)",
  "--mantine-color-disabled": "var(--hover)",
  "--mantine-color-disabled-color": "var(--ink3)",
  "--mantine-color-disabled-border": "var(--line)",
  "--mantine-primary-color-filled": "var(--accent)",
  "--mantine-primary-color-filled-hover": "var(--accent-strong)",
  "--mantine-primary-color-light": "var(--sel)",
  "--mantine-primary-color-light-color": "var(--accent)",
  "--mantine-primary-color-contrast": "var(--accent-ink)",
  "--mantine-color-accent-filled": "var(--accent)",
  "--mantine-color-accent-outline": "var(--accent)",
  "--mantine-shadow-md": "var(--shadow)",
  "--mantine-shadow-xl": "var(--shadow)",
};

/** Mantine's variables from the studio's, the same for light and dark. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: mapped,
  dark: mapped,
});
