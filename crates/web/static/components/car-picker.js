// <car-picker>: choosing one of the cars that are kept fills the fields below; typing into them chooses the car that fits.
//
// Hidden without script, where the fields hold the car of last time.

const FIELDS = ["year", "make", "model", "vin"];

class CarPicker extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    const form = this.closest("form");
    this.addEventListener("change", (event) => this.#fill(form, event.target));
    for (const name of FIELDS) {
      form.elements.namedItem(name).addEventListener("input", () => this.#follow(form));
    }
  }

  #fill(form, chosen) {
    for (const name of FIELDS) {
      const input = form.elements.namedItem(name);
      input.value = chosen.dataset[name];
    }
    // The miles of one car are not those of another.
    form.elements.namedItem("mileage").value = "";
    if (chosen.dataset.year === "") form.elements.namedItem("year").focus();
  }

  #follow(form) {
    const radios = [...this.querySelectorAll("input[type=radio]")];
    const fits = (radio) => FIELDS.every((name) => form.elements.namedItem(name).value === radio.dataset[name]);
    (radios.find(fits) ?? radios.at(-1)).checked = true;
  }
}

customElements.define("car-picker", CarPicker);
