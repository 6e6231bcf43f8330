// The component's entry: the page's bootstrap calls `mount` again on every change of data or theme.

import { Panel } from "./panel.js";

/** @import { Callbacks } from "./follow.js" */
/** @import { Data } from "./protocol.js" */

/**
 * @param {Callbacks & { parentElement: HTMLElement, data: Data }} component
 * @param {URL | string} base address of the app
 * @returns {() => void} what takes the panel away, unless a later call has taken over
 */
export function mount({ parentElement, data, setStateValue, setTriggerValue }, base) {
  const callbacks = { setStateValue, setTriggerValue };
  const panel = (parentElement.bnvPanel ||= new Panel(parentElement, base, data, callbacks));
  const turn = ++panel.mounts;
  panel.update(data, callbacks);
  return () => {
    if (panel.mounts !== turn) return;
    panel.destroy();
    if (parentElement.bnvPanel === panel) delete parentElement.bnvPanel;
  };
}
