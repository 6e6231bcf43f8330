// The little of Plotly that the panel touches: its two functions, and what `plotly_internals.js` reads of a node that it has drawn into.

import type { Card } from "./card.js";
import type { Panel } from "./panel.js";

/** An axis as Plotly keeps it: from a value to a pixel, and its length in pixels. */
export interface DrawnAxis {
  c2p(value: number): number;
  _length: number;
}

/** An element that Plotly draws into. */
export interface GraphDiv extends HTMLElement {
  _fullLayout?: Record<string, DrawnAxis | undefined>;
  layout?: { width?: number; height?: number };
  on(event: string, act: () => void): void;
}

declare global {
  interface Window {
    Plotly?: {
      react(gd: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
      purge(gd: HTMLElement): void;
    };
  }
  interface Element {
    bnvCard?: Card; // of a chart's card
    bnvPanel?: Panel; // of the element that the page gives
  }
}
