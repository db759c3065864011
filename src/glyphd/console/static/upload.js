// Shows which files are chosen, takes files that are dropped on the form, and shows how far the upload is. The form works
// without it: then the browser shows what is chosen, and sends it.
const form = document.getElementById("upload");
const input = form.querySelector("input[type=file]");
const chosen = document.getElementById("chosen");
const progress = document.getElementById("progress");

function size(bytes) {
  const [unit, divisor] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return (bytes / divisor).toLocaleString("en", { style: "unit", unit, maximumFractionDigits: 1 });
}

function told(text) {
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  progress.replaceChildren(paragraph);
  return paragraph;
}

function list() {
  const items = [...input.files].map((file) => {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = file.name;
    item.append(name, `, ${size(file.size)}`);
    return item;
  });
  chosen.replaceChildren(...items);
}

function bar() {
  const element = document.createElement("progress");
  element.setAttribute("aria-label", "Bytes sent");
  element.max = 1;
  progress.append(element);
  return element;
}

function send() {
  const request = new XMLHttpRequest();
  const sentence = told("Sending …");
  const sent = bar();
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    sent.value = event.loaded / event.total;
    sentence.textContent = `Sending: ${size(event.loaded)} of ${size(event.total)}`;
  });
  request.upload.addEventListener("load", () => {
    sentence.textContent = "Checking …";
    sent.removeAttribute("value"); // a bar without a value moves: how long this takes is not known
  });
  request.addEventListener("load", () => arrive(request));
  request.addEventListener("error", () => fail("The server cannot be reached. Try again in a moment."));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
}

function arrive(request) {
  if (request.status < 400) {
    location.assign(request.responseURL);
    return;
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const failure = page.querySelector(".failure");
  fail("The files were not taken.");
  if (failure) progress.append(document.adoptNode(failure));
}

function fail(text) {
  told(text);
  form.querySelector("button").disabled = false;
}

function begin() {
  list(); // the browser keeps what was chosen when one goes back
  progress.replaceChildren();
  form.querySelector("button").disabled = false;
}

input.addEventListener("change", list);
addEventListener("pageshow", begin);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  form.querySelector("button").disabled = true; // until it is answered: one click, one upload
  send();
});

for (const kind of ["dragenter", "dragover"]) {
  form.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // else the browser opens the file
    form.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  form.addEventListener(kind, (event) => {
    if (kind === "drop" || !form.contains(event.relatedTarget)) form.classList.remove("over");
  });
}
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  input.files = event.dataTransfer.files;
  list();
});
