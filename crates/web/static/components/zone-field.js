// <zone-field>: fills a hidden field with the viewer's time zone, and offers every zone to a visible one.

class ZoneField extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    if (input.type === "hidden") {
      input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? input.value;
    }
    const list = this.querySelector("datalist");
    const zones = list && Intl.supportedValuesOf?.("timeZone");
    if (zones) list.replaceChildren(...zones.map((zone) => new Option(zone, zone)));
  }
}

customElements.define("zone-field", ZoneField);
