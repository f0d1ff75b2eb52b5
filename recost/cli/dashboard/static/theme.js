// Runs before anything is painted: a page that was dark stays dark.
"use strict";
try {
  const chosen = localStorage.getItem("recost-theme");
  if (chosen === "dark" || chosen === "light") {
    document.documentElement.dataset.theme = chosen;
  }
} catch (error) {
  console.info("recost: the browser keeps no settings", error.name);
}
