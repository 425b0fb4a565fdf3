// The page as the program has drawn it, as HTML: without comments, dialogs and scripts.
const page = document.body.cloneNode(true);
for (const element of page.querySelectorAll('#skeleton, #still, dialog, script')) element.remove();
const walker = document.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
const comments = [];
while (walker.nextNode()) comments.push(walker.currentNode);
for (const comment of comments) comment.remove();
page.normalize();
// What properties have set, and attributes do not show.
const drawn = document.querySelectorAll('body textarea, body input');
page.querySelectorAll('textarea, input').forEach((field, i) => {
  if (field.tagName === 'TEXTAREA') field.textContent = drawn[i].value;
  else if (field.type === 'checkbox') field.toggleAttribute('checked', drawn[i].checked);
  else field.setAttribute('value', drawn[i].value);
});
// Line breaks inside of tags are no text.
return page.innerHTML.trim().replace(/<(header|nav|main|section|article|div|ul|li|figure|svg|p|h1|h2|textarea|button) /g, '<$1\n');
