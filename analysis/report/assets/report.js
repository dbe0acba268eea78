// The rest of the page: the theme's button, contents, what can be copied, paper.
const themeButton = document.getElementById("theme");
function showTheme() {
  themeButton.setAttribute("aria-pressed", String(theme.isDark()));
}
themeButton.addEventListener("click", () => theme.choose(theme.isDark() ? "light" : "dark"));
theme.system.addEventListener("change", () => theme.set(theme.root.dataset.theme));
theme.listeners.push(showTheme);
showTheme();

const contents = document.getElementById("contents");
const wide = matchMedia("(min-width: 60.01rem)");
const fold = () => { contents.open = wide.matches; };
wide.addEventListener("change", fold);
fold();
contents.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) contents.open = false; });
const links = [...contents.querySelectorAll("a")];
function showPlace() {
  const passed = links.filter((link) => document.getElementById(link.hash.slice(1)).getBoundingClientRect().top < innerHeight / 3);
  const here = passed.at(-1) || links[0];
  links.forEach((link) => { if (link === here) link.setAttribute("aria-current", "location"); else link.removeAttribute("aria-current"); });
}
addEventListener("scroll", () => requestAnimationFrame(showPlace), { passive: true });
if (links.length) showPlace();

for (const box of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const text = box.querySelector("code");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch { // an old browser, or one that does not allow it: the text is marked, to be copied by hand
      getSelection().selectAllChildren(text);
      button.textContent = "Marked";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  box.append(button);
}

// On paper all is light and unfolded.
let before = null;
addEventListener("beforeprint", () => {
  before = { theme: theme.root.dataset.theme, folded: [...document.querySelectorAll("details:not([open])")] };
  before.folded.forEach((each) => { each.open = true; });
  theme.set("light");
});
addEventListener("afterprint", () => {
  before.folded.forEach((each) => { each.open = false; });
  theme.set(before.theme);
});
