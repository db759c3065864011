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
