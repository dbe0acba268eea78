// A colour that names one of the page's, var(--name) or a mix of it, as rgba() of the theme that is on.
const probe = document.body.appendChild(document.createElement("span"));
probe.hidden = true;
function colour(text) {
  probe.style.color = "";
  probe.style.color = text;
  const [r, g, b, a = 1] = getComputedStyle(probe).color.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
  const scale = getComputedStyle(probe).color.startsWith("color(") ? 255 : 1;
  return `rgba(${Math.round(r * scale)}, ${Math.round(g * scale)}, ${Math.round(b * scale)}, ${a})`;
}
