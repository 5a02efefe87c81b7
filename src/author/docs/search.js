(() => {
  const form = document.querySelector('form'), box = form.querySelector('input'), said = form.querySelector('output');
  const articles = [...document.querySelectorAll('article')], pages = articles.filter(a => a.className !== 'list').length, texts = new Map();
  const entries = new Map([...document.querySelectorAll('nav a')].map(a => [a.hash.slice(1), a.parentElement]));
  const groups = [...document.querySelectorAll('nav details')], were = groups.map(g => g.open);
  // Which rules read a field says nothing of the field.
  const read = a => [...a.querySelectorAll('table[aria-label="Rules by field"]')].reduce((all, t) => all.replace(t.textContent, ''), a.id + ' ' + a.textContent);
  const text = a => texts.get(a) ?? texts.set(a, read(a).toLowerCase()).get(a);
  const search = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const a of articles) {
      const fits = !words.length || a.className !== 'list' && words.every(w => text(a).includes(w));
      found += fits;
      a.hidden = !fits;
      const entry = entries.get(a.id);
      if (entry) entry.hidden = !fits;
    }
    for (const s of document.querySelectorAll('main > section')) s.hidden = !s.querySelector('article:not([hidden])');
    groups.forEach((g, n) => { g.hidden = !g.querySelector('li:not([hidden])'); g.open = words.length ? true : were[n]; });
    said.textContent = words.length ? `${found} of ${pages} pages` : '';
  };
  const show = () => {
    const there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (there && there.closest('[hidden]')) { box.value = ''; search(); there.scrollIntoView(); }
  };
  form.hidden = false;
  form.addEventListener('submit', e => e.preventDefault());
  box.addEventListener('input', search);
  box.addEventListener('keydown', e => { if (e.key === 'Escape') { box.value = ''; search(); } });
  document.addEventListener('keydown', e => {
    if (e.key === '/' && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { e.preventDefault(); box.focus(); }
  });
  addEventListener('hashchange', show);
  search();
})();
