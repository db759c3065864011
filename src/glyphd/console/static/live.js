// Keeps what is in progress up to date: while the page has elements marked `data-live`, it is fetched again every two
// seconds and they are replaced; once the new page has one of them no longer, the whole page is loaded afresh.
const SECONDS = 2;

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of document.querySelectorAll("[data-live]")) {
    const found = fresh.getElementById(element.id);
    if (!found) {
      location.reload();
      return;
    }
    if (!element.contains(document.activeElement)) element.replaceWith(found);
  }
}

async function follow() {
  if (!document.querySelector("[data-live]")) return;
  if (!document.hidden) await refresh().catch(() => {}); // a server that restarts is asked again
  setTimeout(follow, SECONDS * 1000);
}

setTimeout(follow, SECONDS * 1000);

// What takes long to make was left out of the page: it is fetched from the address in `data-coming`, as the element with
// the same id.
for (const element of document.querySelectorAll("[data-coming]")) {
  try {
    const answer = await fetch(element.dataset.coming, { headers: { Accept: "text/html" } });
    if (answer.redirected) {
      location.reload(); // the session is over: the page asks to sign in, and leads back
      continue;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = fresh.getElementById(element.id) ?? fresh.querySelector(".failure");
    found.classList.add("come"); // it keeps the room that was left for it
    element.replaceWith(found);
  } catch {
    element.querySelector("[role=status]").textContent = "The server cannot be reached. Reload the page in a moment.";
  }
}
