// Lets a browser in to Prefect's pages, which keep their credential where this script puts it.
const KEY = "prefect-password"; // Prefect's own name; what it holds is base64 of user:password
const form = document.querySelector("form");
const fault = document.getElementById("fault");
const field = document.getElementById("credential");

async function isRight(shown) {
  const answer = await fetch("/api/admin/version", { headers: { Authorization: `Basic ${shown}` } });
  if (!answer.ok && answer.status !== 401) throw new Error(`Prefect answered ${answer.status}.`);
  return answer.ok;
}

function goOn() {
  location.replace(document.body.dataset.target);
}

function say(text) {
  fault.textContent = text;
  fault.hidden = false;
  field.setAttribute("aria-invalid", "true");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const shown = btoa(field.value.trim());
    if (!(await isRight(shown))) {
      say("This is not the credential of this home; copy the whole line, name and colon included.");
      return;
    }
    localStorage.setItem(KEY, shown);
    goOn();
  } catch {
    say("Prefect does not answer; is it still running?");
  }
});

const kept = localStorage.getItem(KEY);
if (kept && (await isRight(kept).catch(() => false))) goOn();
else {
  form.hidden = false;
  field.focus();
}
