/* Elements, and what is written into them.
 *
 * What the service sent is put on the page as text and in no other way: a request may carry anything.
 *
 * The files are joined into one script, in the order of CMakeLists.txt. Each is a block of its own and
 * adds what others may use to `page`. */
"use strict";
const page = {};
{
  const SVG = "http://www.w3.org/2000/svg";

  /* An attribute that is true stands without a value; one that is false or null is left out. A
   * child is a node or a text. */
  function finish(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === true) {
        node.setAttribute(name, "");
      } else if (value !== false && value !== null && value !== undefined) {
        node.setAttribute(name, value);
      }
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  const get = (id) => document.getElementById(id);

  /* What stays as it is, is not touched: it costs nothing, and a screen reader has nothing to say. */
  function text(node, value) {
    if (node.textContent !== value) {
      node.textContent = value;
    }
  }

  function attribute(node, name, value) {
    if (node.getAttribute(name) !== value) {
      node.setAttribute(name, value);
    }
  }

  /* Custom properties by script: the policy allows no style in markup. */
  function place(node, properties) {
    for (const [name, value] of Object.entries(properties)) {
      node.style.setProperty(`--${name}`, value);
    }
    return node;
  }

  const el = (tag, attributes, ...children) => finish(document.createElement(tag), attributes, children);

  function alike(node, fresh) {
    for (const { name, value } of fresh.attributes) {
      if (name !== "style") {
        attribute(node, name, value);
      }
    }
    node.style.cssText = fresh.style.cssText;
    render(node, ...fresh.childNodes);
  }

  /* Makes these the children of a node, and leaves alone what is so already, with whatever points at
   * it, selects it or reads it aloud. */
  function render(node, ...fresh) {
    fresh.forEach((child, i) => {
      const old = node.childNodes[i];
      if (!old) {
        node.append(child);
      } else if (old.nodeName !== child.nodeName || old.className !== child.className) {
        old.replaceWith(child);
      } else if (old.nodeType === Node.TEXT_NODE) {
        text(old, child.data);
      } else {
        alike(old, child);
      }
    });
    while (node.childNodes.length > fresh.length) {
      node.lastChild.remove();
    }
  }

  /* A text with each occurrence of an id marked: a list of nodes and texts. */
  function marked(value, id) {
    const parts = id ? value.split(id) : [value];
    return parts.flatMap((part, index) => (index === 0 ? [part] : [el("mark", {}, id), part]));
  }

  /* Told to screen readers: never figures that run. */
  function say(words) {
    text(get("spoken"), words);
  }

  page.dom = {
    el,
    svg: (tag, attributes, ...children) => finish(document.createElementNS(SVG, tag), attributes, children),
    option: (value, words) => el("option", { value }, words ?? value),
    get,
    text,
    attribute,
    place,
    render,
    marked,
    say,
  };
}
