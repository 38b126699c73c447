document.getElementById('by-file').onclick = () => {
  location.href = '/static/landed.html?by-file';
};
