import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "@mantine/core/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./ui/theme/tokens.css";
import "./ui/theme/base.css";
import { createRoot } from "react-dom/client";
import { App } from "./ui/app/App.tsx";
import { assessRecipe } from "./ui/app/assess.ts";
import { openEngine } from "./ui/app/connection.ts";
import { followEngine } from "./ui/app/follow.ts";
import { createStudio } from "./ui/stores/studio.ts";

const studio = createStudio(openEngine(), window.location.hash);
followEngine(studio);
assessRecipe(studio);

const root = document.getElementById("root");
if (root) createRoot(root).render(<App studio={studio} />);
